%% What run.sh lets its nodes say: what a connection really is.
-module(story).

-export([call/1, verify/3, policy/2]).

%% Connects to a node anew, and says over what.
call(Node) ->
    part(Node, 10),
    persistent_term:erase(?MODULE),
    io:format("~ts> net_adm:ping('~ts').~n~p~n", [node(), Node, net_adm:ping(Node)]),
    io:format("  ~ts~n", [connection(proplists:get_value(Node, erlang:system_info(dist_ctrl)))]).

%% The other node may have had something to say, and then calls at once.
part(_, 0) ->
    ok;
part(Node, Times) ->
    Left = case erlang:disconnect_node(Node) of
               true -> Times;
               _ -> Times - 1
           end,
    timer:sleep(20),
    part(Node, Left).

%% A port at this end is a socket of the runtime's. TLS has a process instead.
connection(undefined) ->
    "not connected";
connection(Port) when is_port(Port) ->
    case inet:peername(Port) of
        {ok, {local, Path}} -> io_lib:format("a Unix socket, ~ts", [Path]);
        {ok, {Ip, Number}} -> io_lib:format("plain TCP, to ~ts port ~b", [inet:ntoa(Ip), Number])
    end;
connection(Pid) when is_pid(Pid) ->
    {Module, _, _} = proc_lib:translate_initial_call(Pid),
    io_lib:format("TLS, by ~p; it showed the certificate ~ts", [Module, persistent_term:get(?MODULE)]).

%% Keeps the SHA-256 of the certificate that the other side of a connection shows:
%% verify_fun in ssl_dist.conf.
verify(Certificate, valid_peer, State) ->
    Bytes = public_key:pkix_encode('OTPCertificate', Certificate, otp),
    <<Sum:64/bits, _/bits>> = crypto:hash(sha256, Bytes),
    persistent_term:put(?MODULE, [io_lib:format("~2.16.0b", [B]) || <<B>> <= Sum]),
    {valid, State};
verify(_, valid, State) -> {valid, State};
verify(_, {extension, _}, State) -> {unknown, State};
verify(_, {bad_cert, Reason}, _) -> {fail, Reason}.

%% A policy of one's own: TLS to the node s, and to others whatever they have.
policy('s@127.0.0.1', Offers) -> [inet_tls || {inet_tls, _, _} <- Offers];
policy(_, Offers) -> [Transport || {Transport, _, _} <- Offers].
