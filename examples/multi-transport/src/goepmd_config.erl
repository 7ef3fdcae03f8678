%% What the node was told: its transports, the parameters, the EPMD's port.
-module(goepmd_config).

-export([parameter/1, check/0, transports/0, only/0, epmd_port/0]).

-type key() :: policy | assume | ports | timeout | silence | near | uds_dir.

-define(APPLICATION, goepmd).
-define(KEYS, [policy, assume, ports, timeout, silence, near, uds_dir]).
-define(EPMD_PORT, 4369).

%% A parameter: what application:set_env has set, what sys.config of a release says, or
%% the command line.
-spec parameter(key()) -> term().
parameter(Key) ->
    case application:get_env(?APPLICATION, Key) of
        {ok, Value} -> Value;
        undefined -> proplists:get_value(Key, flags(), default(Key))
    end.

default(policy) -> transports();
default(assume) -> hd(transports() ++ [none]);
default(ports) -> [];
default(timeout) -> 2000;
default(silence) -> 5000;
default(near) -> interfaces;
default(uds_dir) -> home.

%% The application is not loaded when the distribution starts, unless this is a release.
flags() ->
    case init:get_argument(?APPLICATION) of
        {ok, Flags} -> pairs(lists:append(Flags));
        error -> []
    end.

pairs([Key, Value | Rest]) ->
    {ok, Tokens, _} = erl_scan:string(Value ++ "."),
    {ok, Term} = erl_parse:parse_term(Tokens),
    [{list_to_atom(Key), Term} | pairs(Rest)];
pairs([Key]) ->
    error({no_value, Key});
pairs([]) ->
    [].

%% Refuses parameters that cannot be used: a policy that is not understood must not end
%% in another one.
-spec check() -> ok | {error, term()}.
check() ->
    try
        [] = [Key || {Key, _} <- flags(), not lists:member(Key, ?KEYS)],
        lists:foreach(fun(Key) -> {true, _} = {usable(Key, parameter(Key)), Key} end, ?KEYS)
    catch
        error:{badmatch, {false, Key}} -> {error, {Key, parameter(Key)}};
        error:{badmatch, Unknown} -> {error, {unknown, Unknown}};
        error:Reason -> {error, Reason}
    end.

usable(policy, {Module, Function}) ->
    is_atom(Module) andalso is_atom(Function);
usable(policy, Function) when is_atom(Function) ->
    lists:member(Function, [subnet, machine]);
usable(policy, Transports) ->
    is_list(Transports) andalso lists:all(fun is_atom/1, Transports);
usable(assume, Transport) -> is_atom(Transport);
usable(ports, Ports) -> is_list(Ports);
usable(timeout, Milliseconds) -> is_integer(Milliseconds) andalso Milliseconds > 0;
usable(silence, Milliseconds) -> is_integer(Milliseconds) andalso Milliseconds >= 0;
usable(near, Networks) -> Networks =:= interfaces orelse is_list(Networks);
usable(uds_dir, Dir) -> Dir =:= home orelse is_list(Dir).

%% The transports of -proto_dist, in its order. If there are several, each has a module
%% that tells its transport.
-spec transports() -> [goepmd_policy:transport()].
transports() ->
    case only() of
        none -> [Transport || {_, Transport} <- modules(), Transport =/= none];
        Transport -> [Transport]
    end.

%% The transport of a node that has one, by a module that knows nothing of us.
-spec only() -> goepmd_policy:transport() | none.
only() ->
    case modules() of
        [{Proto, none}] -> list_to_atom(Proto);
        _ -> none
    end.

modules() ->
    Protos = case init:get_argument(proto_dist) of
                 {ok, [First | _]} -> First;
                 _ -> ["inet_tcp"]
             end,
    [{Proto, transport(list_to_atom(Proto ++ "_dist"))} || Proto <- Protos].

transport(Module) ->
    _ = code:ensure_loaded(Module), % if it is not there, net_kernel says so
    case erlang:function_exported(Module, transport, 0) of
        true -> Module:transport();
        false -> none
    end.

%% The environment variable ERL_EPMD_PORT becomes this flag.
-spec epmd_port() -> inet:port_number().
epmd_port() ->
    case init:get_argument(epmd_port) of
        {ok, [[Port | _] | _]} -> list_to_integer(Port);
        _ -> ?EPMD_PORT
    end.
