%% The process that keeps the node registered, and a table of what was decided.
%%
%% Each transport has a connection of its own to the EPMD, and is registered as long as
%% that lasts; no transport is lost with the connection of another. One that the other
%% side has closed is tried anew every two seconds. The order of registration is that of
%% -proto_dist, also then: EPMD tells old nodes the port that was registered first.
-module(goepmd_keeper).

-behaviour(gen_server).

-export([start_link/0, register/4, listens_not/1, transports/0,
         put/4, take/1, take/2, silence/2, is_silent/1]).
-export([init/1, handle_call/3, handle_cast/2, handle_info/2]).

-define(SERVER, goepmd).
-define(TABLE, goepmd).
-define(RECONNECT, 2000). % milliseconds
-define(TIMEOUT, 10000).  % for a registration

-type transport() :: goepmd_policy:transport().

%% A transport. The socket is that of its registration: none if it has none now.
-record(entry, {transport :: transport(),
                node :: goepmd_client:node_info(),
                family :: inet | inet6,
                socket = none :: none | gen_tcp:socket()}).

%% The entries are in the order of -proto_dist. With alive2 only the first is registered.
-record(state, {entries = [] :: [#entry{}],
                dialect = either :: either | alive2 | alive3,
                creation = 0 :: non_neg_integer(),
                timer = none :: none | reference()}).

-spec start_link() -> {ok, pid()} | {error, term()}.
start_link() ->
    case gen_server:start_link({local, ?SERVER}, ?MODULE, [], []) of
        {ok, Pid} -> {ok, Pid};
        ignore -> {error, ignore};
        {error, Reason} -> {error, Reason}
    end.

%% Registers a transport of this node.
-spec register(Name :: binary(), inet:port_number(), transport(), Family :: atom()) ->
          {ok, Creation :: non_neg_integer()} | {error, duplicate_name | term()}.
register(Name, Port, Transport, Family) ->
    Node = #{name => Name, port => Port, transport => atom_to_binary(Transport, utf8)},
    Entry = #entry{transport = Transport, node = Node, family = ip_family(Family)},
    gen_server:call(?SERVER, {register, Entry}, infinity).

%% OTP 25 gives the driver.
ip_family(inet6_tcp) -> inet6;
ip_family(inet6) -> inet6;
ip_family(_) -> inet.

%% Says that a transport does not listen after all: net_kernel will not call by it.
-spec listens_not(transport()) -> ok.
listens_not(Transport) ->
    gen_server:call(?SERVER, {listens_not, Transport}, infinity).

%% The transports by which this node can call, in the order of -proto_dist.
-spec transports() -> [transport()].
transports() ->
    [{_, Transports}] = ets:lookup(?TABLE, transports),
    Transports.

%% Keeps where a node is to be called, for the process that connects. False if that
%% is too late: the distribution is going down.
-spec put(Node :: string(), inet:ip_address(), inet:port_number(), non_neg_integer()) -> boolean().
put(Node, Ip, Port, Version) ->
    try
        ets:insert(?TABLE, {{call, Node}, Ip, Port, Version})
    catch
        error:badarg -> false
    end.

%% What was kept for a node, once.
-spec take(Node :: string()) ->
          {ok, inet:ip_address(), inet:port_number(), non_neg_integer()} | none.
take(Node) ->
    case ets:take(?TABLE, {call, Node}) of
        [{_, Ip, Port, Version}] -> {ok, Ip, Port, Version};
        [] -> none
    end.

%% The same by the node's name and address.
-spec take(Name :: string(), Host :: string() | inet:ip_address()) ->
          {ok, inet:ip_address(), inet:port_number(), non_neg_integer()} | none.
take(Name, Host) ->
    Kept = ets:match(?TABLE, {{call, '$1'}, Host, '_', '_'}),
    case [Node || [Node] <- Kept, lists:prefix(Name ++ "@", Node)] of
        [Node | _] -> take(Node);
        [] -> none
    end.

%% Leaves a host alone for some milliseconds.
-spec silence(Host :: string(), non_neg_integer()) -> true.
silence(Host, Milliseconds) ->
    ets:insert(?TABLE, {{silent, Host}, goepmd_client:deadline(Milliseconds)}).

-spec is_silent(Host :: string()) -> boolean().
is_silent(Host) ->
    case ets:lookup(?TABLE, {silent, Host}) of
        [{_, Until}] -> goepmd_client:deadline(0) < Until;
        [] -> false
    end.

%%% The process. It must not die: its supervisor would end the distribution.

init([]) ->
    ?TABLE = ets:new(?TABLE, [named_table, public]),
    case goepmd_config:check() of
        ok ->
            ets:insert(?TABLE, {transports, goepmd_config:transports()}),
            {ok, #state{}};
        {error, Reason} ->
            logger:error("goepmd: a parameter of the application cannot be used: ~tp", [Reason]),
            {stop, {goepmd, Reason}}
    end.

handle_call({register, Entry}, _From, State) ->
    case add(Entry, State) of
        {ok, New} -> {reply, {ok, New#state.creation}, New};
        Error -> {reply, Error, State}
    end;
handle_call({listens_not, Transport}, _From, #state{entries = Entries} = State) ->
    ets:insert(?TABLE, {transports, lists:delete(Transport, transports())}),
    {Gone, Others} = lists:partition(fun(E) -> E#entry.transport =:= Transport end, Entries),
    lists:foreach(fun close/1, Gone),
    {reply, ok, State#state{entries = Others}};
handle_call(_, _From, State) ->
    {reply, {error, not_understood}, State}.

handle_cast(_, State) ->
    {noreply, State}.

handle_info({tcp_closed, Socket}, #state{entries = Entries} = State) ->
    case lists:keyfind(Socket, #entry.socket, Entries) of
        #entry{} = Lost ->
            New = lists:keyreplace(Socket, #entry.socket, Entries, Lost#entry{socket = none}),
            {noreply, retry(State#state{entries = New})};
        false ->
            {noreply, State}
    end;
handle_info(reconnect, State) ->
    {noreply, reconnect(State#state{timer = none})};
handle_info(_, State) -> % what an EPMD says unasked
    {noreply, State}.

%%% Registering

%% With the extension another node could come under this one's name, if it had other
%% transports. So the first transport is not registered if there is such a name.
add(#entry{node = Node} = Entry, #state{entries = []} = State) ->
    Taken = at_home(Entry, fun(Epmd, Deadline) ->
        goepmd_client:lookup(Epmd, maps:get(name, Node), [], Deadline)
    end),
    case Taken of
        {ok, _, _} -> {error, duplicate_name};
        _ -> added(enter(Entry, either), Entry, State)
    end;
add(Entry, #state{entries = Entries, dialect = alive2} = State) ->
    {ok, State#state{entries = Entries ++ [Entry]}};
add(Entry, #state{dialect = Dialect} = State) ->
    added(enter(Entry, Dialect), Entry, State).

added({ok, Dialect, Socket, Creation}, Entry, #state{entries = Entries} = State) ->
    {ok, State#state{entries = Entries ++ [Entry#entry{socket = Socket}],
                     dialect = Dialect, creation = Creation}};
added({error, taken}, _, _) ->
    {error, duplicate_name};
added(Error, _, _) ->
    Error.

enter(#entry{node = Node} = Entry, Dialect) ->
    at_home(Entry, fun(Epmd, Deadline) ->
        goepmd_client:register(Epmd, Node, Dialect, Deadline)
    end).

%% Asks the EPMD of this machine, by one loopback address or the other.
at_home(#entry{family = Family}, Ask) ->
    Inet = {127, 0, 0, 1},
    Inet6 = {0, 0, 0, 0, 0, 0, 0, 1},
    Ips = case Family of
              inet -> [Inet, Inet6];
              inet6 -> [Inet6, Inet]
          end,
    Deadline = goepmd_client:deadline(?TIMEOUT),
    goepmd_client:first(fun(Ip) -> Ask({Ip, goepmd_config:epmd_port()}, Deadline) end, Ips).

close(#entry{socket = none}) -> ok;
close(#entry{socket = Socket}) -> gen_tcp:close(Socket).

%%% Registering again

retry(#state{timer = none} = State) ->
    State#state{timer = erlang:send_after(?RECONNECT, self(), reconnect)};
retry(State) ->
    State.

%% What is behind a lost transport is registered again too, once that is back, so that
%% the order stays. A new creation is ignored, as OTP does: the node has its own.
reconnect(#state{entries = Entries} = State) ->
    {Kept, Lost} = lists:splitwith(fun(E) -> E#entry.socket =/= none end, Entries),
    again(Lost, Kept, State).

again([], Kept, State) ->
    State#state{entries = Kept};
again(Lost, [_ | _] = Kept, #state{dialect = alive2} = State) ->
    State#state{entries = Kept ++ Lost};
again([Entry | Behind], Kept, #state{dialect = Dialect} = State) ->
    close(Entry),
    case enter(Entry, case Kept of [] -> either; _ -> Dialect end) of
        {ok, New, Socket, _} ->
            again(Behind, Kept ++ [Entry#entry{socket = Socket}], State#state{dialect = New});
        {error, Reason} ->
            Reason =:= taken andalso
                logger:warning("goepmd: ~ts cannot be registered again: the name is taken",
                               [maps:get(name, Entry#entry.node)]),
            retry(State#state{entries = Kept ++ [Entry#entry{socket = none} | Behind]})
    end.
