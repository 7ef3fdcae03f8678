%% A small carrier for the Erlang distribution: `erl -proto_dist goepmd`.
%%
%% It is what "How to Implement an Alternative Carrier for the Erlang Distribution" in
%% the documentation of ERTS asks for, with a process as the distribution controller,
%% over gen_tcp. It runs on OTP 23 and later.
%%
%% Each connection begins with a greeting of its own, so that a node with the usual
%% carrier and one with this do not understand each other: a ping that is answered
%% went through here.
-module(goepmd_dist).

%% What net_kernel calls. OTP 23 calls listen/1, later ones listen/2; address/0 is for
%% -dist_listen false.
-export([listen/1, listen/2, address/0, accept/1, accept_connection/5,
         setup/5, select/1, close/1]).
%% What dist_util calls by name, so that this module can be loaded anew.
-export([tick/1, getstat/1]).

-include_lib("kernel/include/net_address.hrl").
-include_lib("kernel/include/dist.hrl").
-include_lib("kernel/include/dist_util.hrl").

-define(GREETING, <<"goepmd carrier">>).
-define(PROTOCOL, goepmd).
-define(FAMILY, inet).
-define(PATIENCE, 15000).

%% A connection: the process that controls it, and its socket.
-record(carrier, {controller, socket}).

%%% What net_kernel calls

listen(Name) ->
    {ok, Host} = inet:gethostname(),
    listen(Name, Host).

listen(Name, Host) ->
    Options = [binary, {active, false}, {packet, 2}, {reuseaddr, true},
               {nodelay, true}, {ip, {0, 0, 0, 0}}],
    case gen_tcp:listen(0, Options) of
        {ok, Listener} ->
            {ok, {_, Port} = Address} = inet:sockname(Listener),
            Epmd = net_kernel:epmd_module(),
            case Epmd:register_node(Name, Port, inet) of
                {ok, Creation} ->
                    {ok, {Listener, net_address(Address, Host), Creation}};
                Error ->
                    Error
            end;
        Error ->
            Error
    end.

address() ->
    {ok, Host} = inet:gethostname(),
    net_address(undefined, Host).

net_address(Address, Host) ->
    #net_address{address = Address, host = Host, protocol = ?PROTOCOL, family = ?FAMILY}.

%% The process that accepts. For each connection it asks net_kernel which process is
%% to have it.
accept(Listener) ->
    Kernel = self(),
    spawn_opt(fun() -> accept_loop(Kernel, Listener) end, [link, {priority, max}]).

accept_loop(Kernel, Listener) ->
    case gen_tcp:accept(Listener) of
        {ok, Socket} ->
            Kernel ! {accept, self(), Socket, ?FAMILY, ?PROTOCOL},
            receive
                {Kernel, controller, Pid} ->
                    _ = gen_tcp:controlling_process(Socket, Pid),
                    Pid ! {self(), controller};
                {Kernel, unsupported_protocol} ->
                    exit(unsupported_protocol)
            end,
            accept_loop(Kernel, Listener);
        {error, Reason} ->
            exit(Reason)
    end.

%% The process that makes the handshake with a node that connected to this one, and
%% then watches the connection.
accept_connection(Acceptor, Socket, MyNode, Allowed, SetupTime) ->
    Kernel = self(),
    spawn_opt(fun() -> do_accept(Kernel, Acceptor, Socket, MyNode, Allowed, SetupTime) end,
              [link, {priority, max}]).

do_accept(Kernel, Acceptor, Socket, MyNode, Allowed, SetupTime) ->
    receive
        {Acceptor, controller} -> ok
    end,
    Timer = dist_util:start_timer(SetupTime),
    case gen_tcp:recv(Socket, 0, ?PATIENCE) of
        {ok, ?GREETING} -> ok;
        _ -> ?shutdown(no_greeting)
    end,
    Carrier = hand_over(Socket),
    Handshake = handshake(Carrier, Kernel, MyNode, Timer, fun accepted_address/2),
    dist_util:handshake_other_started(Handshake#hs_data{allowed = Allowed}).

%% The same for a node to connect to. The EPMD of its host tells the port.
setup(Node, Type, MyNode, LongOrShortNames, SetupTime) ->
    Kernel = self(),
    spawn_opt(fun() -> do_setup(Kernel, Node, Type, MyNode, LongOrShortNames, SetupTime) end,
              [link, {priority, max}]).

do_setup(Kernel, Node, Type, MyNode, _LongOrShortNames, SetupTime) ->
    {node, Name, Host} = dist_util:split_node(Node),
    Timer = dist_util:start_timer(SetupTime),
    case inet:getaddr(Host, inet) of
        {ok, Address} -> ok;
        _ -> Address = none, ?shutdown2(Node, unknown_host)
    end,
    Epmd = net_kernel:epmd_module(),
    case Epmd:port_please(Name, Address) of
        {port, Port, Version} -> ok;
        Other -> Port = Version = none, ?shutdown2(Node, {port_please, Other})
    end,
    dist_util:reset_timer(Timer),
    Options = [binary, {active, false}, {packet, 2}, {nodelay, true}],
    case gen_tcp:connect(Address, Port, Options, ?PATIENCE) of
        {ok, Socket} -> ok;
        Error -> Socket = none, ?shutdown2(Node, {connect, Error})
    end,
    case gen_tcp:send(Socket, ?GREETING) of
        ok -> ok;
        _ -> ?shutdown2(Node, no_greeting)
    end,
    Carrier = hand_over(Socket),
    AddressOf = fun(_, _) -> net_address({Address, Port}, Host) end,
    Handshake = handshake(Carrier, Kernel, MyNode, Timer, AddressOf),
    dist_util:handshake_we_started(
      Handshake#hs_data{other_node = Node, other_version = Version, request_type = Type}).

select(Node) ->
    case dist_util:split_node(Node) of
        {node, _, Host} -> element(1, inet:getaddr(Host, inet)) =:= ok;
        _ -> false
    end.

close(Listener) ->
    gen_tcp:close(Listener).

%%% The handshake, which dist_util makes with what is given here

handshake(Carrier, Kernel, MyNode, Timer, AddressOf) ->
    #hs_data{kernel_pid = Kernel,
             this_node = MyNode,
             socket = Carrier,
             timer = Timer,
             this_flags = 0,
             f_send = fun(#carrier{socket = S}, Packet) -> gen_tcp:send(S, Packet) end,
             f_recv = fun recv/3,
             f_setopts_pre_nodeup =
                 fun(#carrier{socket = S}) -> inet:setopts(S, [{packet, 4}]) end,
             f_setopts_post_nodeup = fun(_) -> ok end,
             f_getll = fun(#carrier{controller = C}) -> {ok, C} end,
             f_address = AddressOf,
             f_handshake_complete =
                 fun(#carrier{controller = C}, _Node, Handle) -> C ! {self(), complete, Handle} end,
             mf_tick = fun ?MODULE:tick/1,
             mf_getstat = fun ?MODULE:getstat/1}.

%% dist_util wants lists.
recv(#carrier{socket = Socket}, Length, Timeout) ->
    case gen_tcp:recv(Socket, Length, Timeout) of
        {ok, Packet} -> {ok, binary_to_list(Packet)};
        Error -> Error
    end.

accepted_address(#carrier{socket = Socket}, Node) ->
    case {inet:peername(Socket), dist_util:split_node(Node)} of
        {{ok, Address}, {node, _, Host}} -> net_address(Address, Host);
        _ -> {error, no_node}
    end.

tick(#carrier{controller = Controller}) ->
    Controller ! tick,
    ok.

getstat(#carrier{socket = Socket}) ->
    case inet:getstat(Socket, [recv_cnt, send_cnt, send_pend]) of
        {ok, Stat} ->
            [{_, Received}, {_, Sent}, {_, Pending}] =
                [lists:keyfind(K, 1, Stat) || K <- [recv_cnt, send_cnt, send_pend]],
            {ok, Received, Sent, Pending};
        Error ->
            Error
    end.

%%% The distribution controller: one process sends, another receives

%% The socket belongs to the controller, which dies with the process that makes the
%% handshake and watches the connection, and it with the controller.
hand_over(Socket) ->
    Watcher = self(),
    Controller = spawn_opt(fun() -> controller(Watcher, Socket) end,
                           [link, {priority, max}, {message_queue_data, off_heap}]),
    ok = gen_tcp:controlling_process(Socket, Controller),
    #carrier{controller = Controller, socket = Socket}.

controller(Watcher, Socket) ->
    receive
        {Watcher, complete, Handle} ->
            Receiver = spawn_opt(fun() -> receiver(Socket) end, [link, {priority, max}]),
            ok = erlang:dist_ctrl_input_handler(Handle, Receiver),
            Receiver ! {self(), Handle},
            ok = erlang:dist_ctrl_get_data_notification(Handle),
            sender(Socket, Handle)
    end.

sender(Socket, Handle) ->
    receive
        dist_data ->
            send_all(Socket, Handle),
            erlang:dist_ctrl_get_data_notification(Handle);
        tick ->
            sent(gen_tcp:send(Socket, <<>>));
        _ ->
            ok
    end,
    sender(Socket, Handle).

send_all(Socket, Handle) ->
    case erlang:dist_ctrl_get_data(Handle) of
        none ->
            ok;
        Data ->
            sent(gen_tcp:send(Socket, Data)),
            send_all(Socket, Handle)
    end.

sent(ok) -> ok;
sent({error, Reason}) -> exit({shutdown, {send, Reason}}).

%% Only the process that was named as the input handler may put data.
receiver(Socket) ->
    receive
        {_Controller, Handle} -> receive_all(Socket, Handle)
    end.

receive_all(Socket, Handle) ->
    case gen_tcp:recv(Socket, 0) of
        {ok, <<>>} -> ok; % a tick
        {ok, Data} -> erlang:dist_ctrl_put_data(Handle, Data);
        {error, Reason} -> exit({shutdown, {recv, Reason}})
    end,
    receive_all(Socket, Handle).
