%% The conversations with an EPMD: register a node, look one up, list them all.
%%
%% Each is tried with the requests of the multi-transport extension first. An EPMD
%% that does not know them closes the connection without an answer, and is then asked
%% with the requests that every EPMD knows.
-module(goepmd_client).

-export([register/4, lookup/4, names/2, first/2, deadline/1]).

-export_type([epmd/0, node_info/0, offer/0, deadline/0]).

%% Where an EPMD listens.
-type epmd() :: {inet:ip_address(), inet:port_number()}.

%% What is registered: the node's name without the host, as UTF-8, and one port.
-type node_info() :: #{name := binary(), port := inet:port_number(), transport := binary()}.

%% A transport as EPMD names it, and its port. The name is empty for a node that was
%% registered without one, or by an EPMD that knows none.
-type offer() :: {Transport :: binary(), inet:port_number()}.

%% A point in monotonic time, in milliseconds.
-type deadline() :: integer().

-define(NORMAL_NODE, $M).
-define(HIGHEST, 6).
-define(LOWEST, 5).
-define(MAX_LIST, 16#400000). % bytes

%% Registers a node, by ALIVE3_REQ, by ALIVE2_REQ, or by either of them, in this order.
%% It is registered until the socket is closed, by either side; the caller gets
%% {tcp_closed, Socket} if it is the other. Taken means that the EPMD refuses the name
%% with this transport.
-spec register(epmd(), node_info(), either | alive2 | alive3, deadline()) ->
          {ok, alive2 | alive3, gen_tcp:socket(), Creation :: non_neg_integer()} |
          {error, taken | unknown_request | term()}.
register(Epmd, Node, either, Deadline) ->
    case register(Epmd, Node, alive3, Deadline) of
        {error, unknown_request} -> register(Epmd, Node, alive2, Deadline);
        Answer -> Answer
    end;
register(Epmd, Node, Dialect, Deadline) ->
    with_connection(Epmd, Deadline, fun(Socket) ->
        ok = send(Socket, alive_req(Dialect, Node)),
        case alive_resp(Dialect, Socket, Deadline) of
            {0, Creation} ->
                ok = inet:setopts(Socket, [{active, true}]),
                {keep, {ok, Dialect, Socket, Creation}};
            {_, _} ->
                {error, taken}
        end
    end).

alive_req(alive3, #{name := Name, port := Port, transport := Transport}) ->
    <<$X, Port:16, ?NORMAL_NODE, (byte_size(Transport)), Transport/binary,
      ?HIGHEST:16, ?LOWEST:16, (byte_size(Name)):16, Name/binary, 0:16>>;
alive_req(alive2, #{name := Name, port := Port}) ->
    <<$x, Port:16, ?NORMAL_NODE, 0,
      ?HIGHEST:16, ?LOWEST:16, (byte_size(Name)):16, Name/binary, 0:16>>.

alive_resp(alive3, Socket, Deadline) ->
    case framed(Socket, Deadline) of
        <<$v, Result, Creation:32>> -> {Result, Creation};
        <<$y, Result, Creation:16>> -> {Result, Creation}
    end;
alive_resp(alive2, Socket, Deadline) ->
    case first(Socket, 2, Deadline) of
        <<$v, Result>> ->
            <<Creation:32>> = recv(Socket, 4, Deadline),
            {Result, Creation};
        <<$y, Result>> ->
            <<Creation:16>> = recv(Socket, 2, Deadline),
            {Result, Creation}
    end.

%% Looks up a node: which of the transports it offers, and the highest version of the
%% handshake that both sides know. With no transports at all it only tells whether
%% there is such a node.
-spec lookup(epmd(), binary(), [binary()], deadline()) ->
          {ok, [offer()], Version :: non_neg_integer()} | not_found | {error, term()}.
lookup(Epmd, Name, Transports, Deadline) ->
    List = << <<(byte_size(T)), T/binary>> || T <- Transports >>,
    Extended = <<$Z, 0, (length(Transports)), (byte_size(List)):16, List/binary,
                 (byte_size(Name)), Name/binary>>,
    Answer = with_connection(Epmd, Deadline, fun(Socket) ->
        ok = send(Socket, Extended),
        case framed(Socket, Deadline) of
            <<$w, 0, 0:16, Count, Size:16, Offers:Size/binary, _Type,
              Highest:16, Lowest:16, _/binary>> ->
                found(offers(Count, Offers), Highest, Lowest);
            <<$w, _/binary>> ->
                not_found
        end
    end),
    case Answer of
        {error, unknown_request} -> lookup_plain(Epmd, Name, Deadline);
        _ -> Answer
    end.

lookup_plain(Epmd, Name, Deadline) ->
    with_connection(Epmd, Deadline, fun(Socket) ->
        ok = send(Socket, <<$z, Name/binary>>),
        case first(Socket, 2, Deadline) of
            <<$w, 0>> ->
                <<Port:16, _Type, _Protocol, Highest:16, Lowest:16>> = recv(Socket, 8, Deadline),
                found([{<<>>, Port}], Highest, Lowest);
            <<$w, _>> ->
                not_found
        end
    end).

found(Offers, Highest, Lowest) when Lowest =< ?HIGHEST, Highest >= ?LOWEST ->
    {ok, Offers, min(Highest, ?HIGHEST)};
found(_, Highest, Lowest) ->
    {error, {handshake_versions, Lowest, Highest}}.

offers(0, <<>>) ->
    [];
offers(Count, <<Port:16, Size, Transport:Size/binary, Rest/binary>>) when Count > 0 ->
    [{Transport, Port} | offers(Count - 1, Rest)].

%% Lists all nodes, in the order of the EPMD. One that knows no transports tells the
%% port that was registered first, with an empty transport.
-spec names(epmd(), deadline()) -> {ok, [{Name :: binary(), [offer()]}]} | {error, term()}.
names(Epmd, Deadline) ->
    Answer = with_connection(Epmd, Deadline, fun(Socket) ->
        ok = send(Socket, <<$N>>),
        <<More, _EpmdPort:32, Lines/binary>> = framed(Socket, Deadline),
        {ok, lines(blocks(More, Socket, Deadline, Lines))}
    end),
    case Answer of
        {error, unknown_request} ->
            with_connection(Epmd, Deadline, fun(Socket) ->
                ok = send(Socket, <<$n>>),
                <<_EpmdPort:32>> = first(Socket, 4, Deadline),
                {ok, lines(rest(Socket, Deadline, <<>>))}
            end);
        _ ->
            Answer
    end.

blocks(0, _, _, Lines) ->
    Lines;
blocks(1, Socket, Deadline, Lines) when byte_size(Lines) < ?MAX_LIST ->
    <<More, Next/binary>> = framed(Socket, Deadline),
    blocks(More, Socket, Deadline, <<Lines/binary, Next/binary>>).

rest(Socket, Deadline, Lines) when byte_size(Lines) < ?MAX_LIST ->
    case gen_tcp:recv(Socket, 0, left(Deadline)) of
        {ok, More} -> rest(Socket, Deadline, <<Lines/binary, More/binary>>);
        {error, closed} -> Lines;
        {error, Reason} -> throw({epmd, Reason})
    end.

%% A name may hold anything, the words behind it included: the last ones count. What is
%% no line, since a name holds a line break, is left out.
lines(Lines) ->
    lists:append([line(Line) || Line <- binary:split(Lines, <<"\n">>, [global])]).

line(<<"name ", Line/binary>>) ->
    try
        {Start, Size} = lists:last(binary:matches(Line, <<" at port ">>)),
        <<Name:Start/binary, _:Size/binary, Ports/binary>> = Line,
        [{Name, [port(Port) || Port <- binary:split(Ports, <<" ">>, [global])]}]
    catch
        error:_ -> []
    end;
line(_) ->
    [].

port(Text) ->
    case binary:split(Text, <<"#">>) of
        [Port, Transport] -> {Transport, binary_to_integer(Port)};
        [Port] -> {<<>>, binary_to_integer(Port)}
    end.

%% Asks one EPMD after the other until one answers.
-spec first(fun((Epmd) -> Answer | {error, term()}), [Epmd]) -> Answer | {error, term()}.
first(_, []) ->
    {error, no_address};
first(Ask, [Epmd]) ->
    Ask(Epmd);
first(Ask, [Epmd | Others]) ->
    case Ask(Epmd) of
        {error, Reason} when Reason =/= taken -> first(Ask, Others);
        Answer -> Answer
    end.

%% The point so many milliseconds from now.
-spec deadline(integer()) -> deadline().
deadline(Milliseconds) ->
    erlang:monotonic_time(millisecond) + Milliseconds.

%%% Below: one connection

%% Connects, and gives what the function gives. What it could not understand is an
%% error, whatever that was: it came from outside.
with_connection({Ip, Port}, Deadline, Talk) ->
    Options = [binary, family(Ip), {active, false}, {packet, raw}, {nodelay, true},
               {send_timeout, left(Deadline)}],
    case gen_tcp:connect(Ip, Port, Options, left(Deadline)) of
        {ok, Socket} ->
            try Talk(Socket) of
                {keep, Answer} ->
                    Answer;
                Answer ->
                    gen_tcp:close(Socket),
                    Answer
            catch
                throw:{epmd, Reason} ->
                    gen_tcp:close(Socket),
                    {error, Reason};
                error:_ ->
                    gen_tcp:close(Socket),
                    {error, not_understood}
            end;
        {error, Reason} ->
            {error, Reason}
    end.

family(Ip) when tuple_size(Ip) =:= 4 -> inet;
family(Ip) when tuple_size(Ip) =:= 8 -> inet6.

send(Socket, Body) ->
    case gen_tcp:send(Socket, <<(byte_size(Body)):16, Body/binary>>) of
        ok -> ok;
        {error, closed} -> throw({epmd, unknown_request});
        {error, Reason} -> throw({epmd, Reason})
    end.

framed(Socket, Deadline) ->
    <<Length:16>> = first(Socket, 2, Deadline),
    recv(Socket, Length, Deadline).

%% The first bytes of an answer: an end in their place is the answer to a request that
%% the EPMD does not know.
first(Socket, Length, Deadline) ->
    case gen_tcp:recv(Socket, Length, left(Deadline)) of
        {ok, Bytes} -> Bytes;
        {error, End} when End =:= closed; End =:= econnreset -> throw({epmd, unknown_request});
        {error, Reason} -> throw({epmd, Reason})
    end.

recv(_, 0, _) ->
    <<>>;
recv(Socket, Length, Deadline) ->
    case gen_tcp:recv(Socket, Length, left(Deadline)) of
        {ok, Bytes} -> Bytes;
        {error, Reason} -> throw({epmd, Reason})
    end.

left(Deadline) ->
    max(0, Deadline - deadline(0)).
