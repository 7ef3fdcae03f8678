%% An EPMD module with which a node has several distribution transports under one name:
%%
%%   erl -sname s -epmd_module goepmd -proto_dist goepmd_tcp goepmd_tls
%%
%% It takes the place of erl_epmd, in an OTP that is not patched, and speaks the
%% multi-transport extension: each listener of the node is registered with its transport
%% and port, and a lookup tells which of the caller's transports the other node has.
%% Which of them a connection uses, a policy says (goepmd_policy). With an EPMD that has
%% no extension, only the transport that was named first is registered, and a node that
%% was registered without a transport is called by the one that `assume` names.
%%
%% How it knows who registers and who asks. net_kernel calls listen/2 of each module in
%% -proto_dist, and these call register_node/3 without telling who they are: TCP and TLS
%% look the same. So each transport has a small module of its own (goepmd_tcp_dist,
%% goepmd_tls_dist, ...), which leaves its name in the process before the module of OTP
%% goes on. For a connection net_kernel asks select/1 of its listeners, the last one of
%% -proto_dist first, until one says true; there each answers here for itself. The
%% module that said true then asks address_please/3 in the connection's own process,
%% and gets what was decided. A node with one transport needs none of these modules.
%%
%% On which version what holds:
%%
%%   OTP 25 and 27: select/1 runs inside net_kernel, where an exception would end the
%%   node and a wait makes it deaf. So the decision is made in a process of its own,
%%   which gets `timeout` milliseconds, all in all; a host that let them pass is not
%%   asked again for `silence` milliseconds.
%%   OTP 29: select/1 runs in a process of its own; the same bounds hold.
%%   OTP 25 sets no other EPMD module than by -epmd_module; 27 and 29 also take
%%   -kernel epmd_module goepmd. OTP 25 does not take a second -proto_dist flag, and
%%   then starts inet_tcp alone; 27 and 29 use the first.
%%   On each of them inet_tls and inet6_tls go together only as goepmd_tls and
%%   goepmd_tls6.
%%
%% Parameters are those of the application goepmd. In a release they stand in
%% sys.config; without, on the command line: -goepmd policy subnet timeout 1000
%%
%%   policy   which transport to use: see goepmd_policy. Unless given, the node's own,
%%            in the order of -proto_dist.
%%   assume   the transport of nodes that were registered without one: by a stock node,
%%            or with an EPMD without the extension. Unless given, the first one of
%%            -proto_dist; none is not to call them.
%%   ports    on which ports to listen: [{inet_tcp, 9100}, {inet_tls, 9101}]. Unless
%%            given, as inet_dist_listen_min and inet_dist_listen_max of kernel say.
%%   timeout  for a decision, in milliseconds; 2000.
%%   silence  how long a host that did not answer is left alone, in milliseconds; 5000.
%%            0 is not at all.
%%   near     what goepmd_policy:near/1 calls the same subnet.
%%   uds_dir  where the Unix sockets are: see goepmd_uds_dist.
-module(goepmd).

%% What OTP calls.
-export([start_link/0, register_node/3, listen_port_please/2, address_please/3,
         port_please/2, names/1]).
%% What the distribution modules call.
-export([listening/2, select/2]).
%% What anybody may ask.
-export([choose/1, list/1]).

-define(NAMES_TIMEOUT, 5000). % milliseconds

%% In the process that listens, the transport; in the one that selects, the attempt.
-define(LISTENING, '$goepmd_listening').
-define(ATTEMPT, '$goepmd_attempt').

-type transport() :: goepmd_policy:transport().

%%% What OTP calls

-spec start_link() -> {ok, pid()} | {error, term()}.
start_link() ->
    goepmd_keeper:start_link().

%% Registers a listener. The first one's creation is that of the node.
-spec register_node(Name :: atom() | string(), inet:port_number(), Family :: atom()) ->
          {ok, Creation :: non_neg_integer()} | {error, duplicate_name | term()}.
register_node(Name, Port, Family) ->
    case listener() of
        none -> {error, "several of -proto_dist must be goepmd_tcp, goepmd_tls, ..."};
        Transport -> goepmd_keeper:register(utf8(Name), Port, Transport, Family)
    end.

-spec listen_port_please(Name :: atom() | string(), Host :: string()) ->
          {ok, inet:port_number()}.
listen_port_please(_Name, _Host) ->
    {ok, proplists:get_value(listener(), goepmd_config:parameter(ports), 0)}.

%% The transport that is listening, in this process.
listener() ->
    case get(?LISTENING) of
        undefined -> goepmd_config:only();
        Transport -> Transport
    end.

%% Where a node listens. The module whose select/1 said true gets what was decided for
%% it. Nobody else gets an answer, except in a node with one module of OTP, where there
%% is nothing to confuse.
-spec address_please(Name :: string(), Host :: string(), Family :: atom()) ->
          {ok, inet:ip_address(), inet:port_number(), Version :: non_neg_integer()} |
          {error, goepmd_choice:reason()}.
address_please(Name, Host, _Family) ->
    Node = Name ++ "@" ++ Host,
    case goepmd_keeper:take(Node) of
        {ok, Ip, Port, Version} ->
            {ok, Ip, Port, Version};
        none ->
            case goepmd_config:only() =/= none andalso goepmd_choice:make(Node) of
                {ok, _, Ip, Port, Version} -> {ok, Ip, Port, Version};
                false -> {error, not_selected};
                Error -> Error
            end
    end.

%% The same for modules that know the address and ask for the port alone, and for tools.
-spec port_please(Name :: atom() | string(), Host :: atom() | string() | inet:ip_address()) ->
          {port, inet:port_number(), Version :: non_neg_integer()} | noport |
          {error, goepmd_choice:reason()}.
port_please(Name, Host) when is_atom(Name) ->
    port_please(atom_to_list(Name), Host);
port_please(Name, Host) when is_atom(Host) ->
    port_please(Name, atom_to_list(Host));
port_please(Name, Host) ->
    case goepmd_keeper:take(Name, Host) of
        {ok, _, Port, Version} ->
            {port, Port, Version};
        none ->
            case goepmd_choice:make(Name ++ "@" ++ host(Host)) of
                {ok, _, _, Port, Version} -> {port, Port, Version};
                {error, not_found} -> noport;
                Error -> Error
            end
    end.

host(Ip) when is_tuple(Ip) -> inet:ntoa(Ip);
host(Host) -> Host.

%% The nodes of a host and their ports, the first one of each.
-spec names(Host :: atom() | string() | inet:ip_address()) ->
          {ok, [{Name :: string(), inet:port_number()}]} | {error, address | not_understood}.
names(Host) ->
    case list(Host) of
        {ok, Nodes} -> {ok, [{Name, Port} || {Name, [{_, Port} | _]} <- Nodes]};
        Error -> Error
    end.

%%% What the distribution modules call

%% Runs listen/2 of a module, for its transport.
-spec listening(transport(), fun(() -> Answer)) -> Answer.
listening(Transport, Listen) ->
    put(?LISTENING, Transport),
    try Listen() of
        {ok, _} = Answer ->
            Answer;
        Answer ->
            goepmd_keeper:listens_not(Transport),
            Answer
    after
        erase(?LISTENING)
    end.

%% Whether a transport is the one by which to connect to a node. net_kernel asks for
%% one transport after the other, and there is one decision for all of them: it is
%% made when the first one is asked, or one that was asked before.
-spec select(node(), transport()) -> boolean().
select(Node, Transport) ->
    {Asked, Choice} = case get(?ATTEMPT) of
                          {Node, Before, Made} -> {Before, Made};
                          _ -> {[], none}
                      end,
    case Choice =:= none orelse lists:member(Transport, Asked) of
        true -> select(Node, Transport, [], goepmd_choice:make(atom_to_list(Node)));
        false -> select(Node, Transport, Asked, Choice)
    end.

select(Node, Transport, _, {ok, Transport, Ip, Port, Version}) ->
    erase(?ATTEMPT),
    goepmd_keeper:put(atom_to_list(Node), Ip, Port, Version);
select(Node, Transport, Asked, Choice) ->
    put(?ATTEMPT, {Node, [Transport | Asked], Choice}),
    false.

%%% What anybody may ask

%% What would be decided for a node now, or why it cannot be called.
-spec choose(node()) ->
          {ok, transport(), inet:ip_address(), inet:port_number()} |
          {error, goepmd_choice:reason()}.
choose(Node) ->
    case goepmd_choice:make(atom_to_list(Node)) of
        {ok, Transport, Ip, Port, _} -> {ok, Transport, Ip, Port};
        Error -> Error
    end.

%% The nodes of a host with all their transports and ports. The transport is empty where
%% none was registered.
-spec list(Host :: atom() | string() | inet:ip_address()) ->
          {ok, [{Name :: string(), [{Transport :: string(), inet:port_number()}]}]} |
          {error, address | not_understood}.
list(Host) ->
    Deadline = goepmd_client:deadline(?NAMES_TIMEOUT),
    Epmds = [{Ip, goepmd_config:epmd_port()} || Family <- [inet, inet6],
                                                {ok, Ip} <- [inet:getaddr(Host, Family)]],
    case goepmd_client:first(fun(Epmd) -> goepmd_client:names(Epmd, Deadline) end, Epmds) of
        {ok, Nodes} ->
            {ok, [{text(Name), [{text(T), Port} || {T, Port} <- Offers]} || {Name, Offers} <- Nodes]};
        {error, not_understood} ->
            {error, not_understood};
        {error, _} ->
            {error, address}
    end.

%%% Below: text

utf8(Name) when is_atom(Name) -> atom_to_binary(Name, utf8);
utf8(Name) -> unicode:characters_to_binary(Name).

text(Bytes) ->
    case unicode:characters_to_list(Bytes) of
        Text when is_list(Text) -> Text;
        _ -> binary_to_list(Bytes)
    end.
