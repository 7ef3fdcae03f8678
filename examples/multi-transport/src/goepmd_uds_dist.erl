%% Unix sockets: `-proto_dist goepmd_uds`, registered as uds, for nodes of one machine.
%%
%% The port that EPMD is told is a number that stands for a path: the socket is the
%% file of that name in the folder `uds_dir`, a parameter of goepmd. Unless given, that is
%% .cache/goepmd in the user's home, so the nodes of one user find each other. The
%% folder is made, for the user alone, if it is not there; whoever may write to it may
%% connect. Another folder must be given to all nodes, and its path must be short: the
%% system takes about 100 bytes.
%%
%% It is a carrier as "How to Implement an Alternative Carrier for the Erlang
%% Distribution" in the documentation of ERTS describes them, with a port as the
%% distribution controller.
-module(goepmd_uds_dist).

-export([transport/0, listen/2, select/1, exists/1]).
-export([accept/1, accept_connection/5, setup/5, close/1, address/0, is_node_name/1]).

-include_lib("kernel/include/file.hrl").
-include_lib("kernel/include/net_address.hrl").
-include_lib("kernel/include/dist.hrl").
-include_lib("kernel/include/dist_util.hrl").

-define(TRANSPORT, uds).
-define(FAMILY, local).
-define(TRIES, 100).
-define(STALE, 60). % seconds

%%% Listening

transport() -> ?TRANSPORT.

listen(Name, Host) ->
    goepmd:listening(?TRANSPORT, fun() -> open(Name, Host) end).

open(Name, Host) ->
    {ok, Wanted} = goepmd:listen_port_please(Name, Host),
    case prepare() of
        ok ->
            case bind(Wanted, ?TRIES) of
                {ok, Port, Listener} -> enter(Name, Host, Port, Listener);
                Error -> Error
            end;
        Error ->
            Error
    end.

enter(Name, Host, Port, Listener) ->
    case goepmd:register_node(Name, Port, ?FAMILY) of
        {ok, Creation} ->
            {ok, {Listener, address({?FAMILY, path(Port)}, Host), Creation}};
        Error ->
            close(Listener),
            Error
    end.

%% A number that nobody has, for a node that wants none in particular.
bind(0, Tries) when Tries > 0 ->
    case bind(rand:uniform(65535), Tries) of
        {error, eaddrinuse} -> bind(0, Tries - 1);
        Answer -> Answer
    end;
bind(0, 0) ->
    {error, eaddrinuse};
bind(Port, _) ->
    Options = [{ifaddr, {?FAMILY, path(Port)}}, {active, false}, {packet, 2}, {backlog, 128}],
    case gen_tcp:listen(0, Options) of
        {ok, Listener} -> {ok, Port, Listener};
        Error -> Error
    end.

%% Makes the folder, and clears it of what nodes left behind that were killed. A socket is
%% theirs if nobody answers; a young one may be about to listen. The server of the
%% module file does not run yet when the distribution starts, so it is not asked.
prepare() ->
    Dir = dir(),
    _ = prim_file:make_dir(filename:dirname(Dir)), % if that fails, so does the next
    case prim_file:make_dir(Dir) of
        ok ->
            file:write_file_info(Dir, #file_info{mode = 8#700}, [raw]);
        {error, eexist} ->
            {ok, Files} = erl_prim_loader:list_dir(Dir),
            lists:foreach(fun(File) -> clear(filename:join(Dir, File)) end, Files);
        {error, Reason} ->
            {error, {Dir, Reason}}
    end.

clear(Path) ->
    case file:read_link_info(Path, [raw, {time, posix}]) of
        {ok, #file_info{type = other, mtime = Bound}} ->
            case os:system_time(second) - Bound > ?STALE andalso connect(Path) of
                {ok, Socket} -> gen_tcp:close(Socket);
                {error, econnrefused} -> file:delete(Path, [raw]);
                _ -> ok
            end;
        _ ->
            ok
    end.

connect(Path) ->
    gen_tcp:connect({?FAMILY, Path}, 0, [?FAMILY, {active, false}, {packet, 2}]).

%% Whether there is the socket of a port here.
-spec exists(inet:port_number()) -> boolean().
exists(Port) ->
    case file:read_link_info(path(Port), [raw]) of
        {ok, #file_info{type = other}} -> true;
        _ -> false
    end.

path(Port) ->
    filename:join(dir(), integer_to_list(Port)).

dir() ->
    case goepmd_config:parameter(uds_dir) of
        home -> filename:basedir(user_cache, "goepmd");
        Dir -> Dir
    end.

%% The file goes with its listener.
close(Listener) ->
    Name = inet:sockname(Listener),
    ok = gen_tcp:close(Listener),
    case Name of
        {ok, {?FAMILY, Path}} -> _ = file:delete(Path, [raw]), ok; % it may be gone
        _ -> ok
    end.

address() ->
    {ok, Host} = inet:gethostname(),
    address(undefined, Host).

address(Address, Host) ->
    #net_address{address = Address, host = Host, protocol = ?TRANSPORT, family = ?FAMILY}.

is_node_name(Node) ->
    dist_util:is_node_name(Node).

%%% Being called

%% The process that accepts. For each connection it asks net_kernel which process is to
%% have it.
accept(Listener) ->
    Kernel = self(),
    spawn_opt(fun() -> accept_loop(Kernel, Listener) end, [link, {priority, max}]).

accept_loop(Kernel, Listener) ->
    case gen_tcp:accept(Listener) of
        {ok, Socket} ->
            Kernel ! {accept, self(), Socket, ?FAMILY, ?TRANSPORT},
            receive
                {Kernel, controller, Pid} ->
                    _ = gen_tcp:controlling_process(Socket, Pid), % it may have ended
                    Pid ! {self(), controller};
                {Kernel, unsupported_protocol} ->
                    exit(unsupported_protocol)
            end,
            accept_loop(Kernel, Listener);
        {error, Reason} ->
            exit(Reason)
    end.

accept_connection(Acceptor, Socket, MyNode, Allowed, SetupTime) ->
    Kernel = self(),
    spawn_opt(fun() ->
        receive
            {Acceptor, controller} -> ok
        end,
        Timer = dist_util:start_timer(SetupTime),
        Handshake = handshake(Socket, Kernel, MyNode, Timer),
        dist_util:handshake_other_started(Handshake#hs_data{allowed = Allowed})
    end, dist_util:net_ticker_spawn_options()).

%%% Calling

select(Node) ->
    goepmd:select(Node, ?TRANSPORT).

setup(Node, Type, MyNode, _LongOrShortNames, SetupTime) ->
    Kernel = self(),
    spawn_opt(fun() -> call(Kernel, Node, Type, MyNode, SetupTime) end,
              dist_util:net_ticker_spawn_options()).

-spec call(pid(), node(), normal | hidden, node(), timeout()) -> no_return().
call(Kernel, Node, Type, MyNode, SetupTime) ->
    {node, Name, Host} = dist_util:split_node(Node),
    Timer = dist_util:start_timer(SetupTime),
    case goepmd:address_please(Name, Host, ?FAMILY) of
        {ok, _, Port, Version} ->
            dist_util:reset_timer(Timer),
            case connect(path(Port)) of
                {ok, Socket} ->
                    Handshake = handshake(Socket, Kernel, MyNode, Timer),
                    dist_util:handshake_we_started(
                      Handshake#hs_data{other_node = Node, other_version = Version,
                                        request_type = Type});
                Error ->
                    ?shutdown2(Node, {connect, Error})
            end;
        Error ->
            ?shutdown2(Node, {address_please, Error})
    end.

%%% Both: the handshake, which dist_util makes with what is given here. Then the socket
%%% is the runtime's.

handshake(Socket, Kernel, MyNode, Timer) ->
    #hs_data{kernel_pid = Kernel,
             this_node = MyNode,
             socket = Socket,
             timer = Timer,
             this_flags = 0,
             f_send = fun gen_tcp:send/2,
             f_recv = fun gen_tcp:recv/3,
             f_setopts_pre_nodeup = fun(S) -> inet:setopts(S, [{packet, 4}]) end,
             f_setopts_post_nodeup =
                 fun(S) -> inet:setopts(S, [binary, {deliver, port}, {active, true}]) end,
             f_getll = fun(S) -> {ok, S} end,
             f_address = fun peer/2,
             mf_tick = fun tick/1,
             mf_getstat = fun stat/1}.

peer(_Socket, Node) ->
    case dist_util:split_node(Node) of
        {node, _, Host} -> address({?FAMILY, <<>>}, Host);
        _ -> {error, no_node}
    end.

%% An empty packet. It must not wait for a peer that reads nothing.
tick(Socket) ->
    case inet_tcp:send(Socket, [], [force]) of
        {error, closed} ->
            self() ! {tcp_closed, Socket},
            {error, closed};
        Answer ->
            Answer
    end.

stat(Socket) ->
    case inet:getstat(Socket, [recv_cnt, send_cnt, send_pend]) of
        {ok, Stat} ->
            [Received, Sent, Pending] =
                [proplists:get_value(Key, Stat) || Key <- [recv_cnt, send_cnt, send_pend]],
            {ok, Received, Sent, Pending};
        Error ->
            Error
    end.
