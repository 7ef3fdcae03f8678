%% Ready-made policies: in which order the transports of a node are to be tried.
%%
%% A policy is given as the parameter `policy` of the application goepmd: the name of a
%% function of this module, {Module, Function} of any other, or simply a list of
%% transports. It is called with the node to connect to and what that node offers, of
%% the transports that this node has too, and gives the transports that may be used,
%% the best one first. What it does not name is not used; if it gives none, the nodes
%% do not connect. It rules only the calls that this node makes.
%%
%% It must answer soon, and must not call other nodes: net_kernel of OTP 25 and 27
%% waits for it.
-module(goepmd_policy).

-export([subnet/2, machine/2]).
%% For policies of one's own.
-export([near/1, own/1]).

-export_type([transport/0, offer/0]).

%% A distribution module's name without _dist: inet_tcp, inet6_tcp, inet_tls, inet6_tls,
%% uds, or any other.
-type transport() :: atom().

%% The address is that of the node's host, in the transport's family.
-type offer() :: {transport(), inet:ip_address(), inet:port_number()}.

-type network() :: {inet:ip_address(), Mask :: inet:ip_address() | 0..128}.

%% TCP in the same subnet, and otherwise TLS. Elsewhere it is TLS or nothing: who could
%% answer in the place of the other host's EPMD could leave TLS out.
-spec subnet(node(), [offer()]) -> [transport()].
subnet(_Node, Offers) ->
    Plain = [T || {T, Ip, _} <- Offers, lists:member(T, [inet_tcp, inet6_tcp]), near(Ip)],
    Plain ++ [T || {T, _, _} <- Offers, lists:member(T, [inet_tls, inet6_tls])].

%% A Unix socket on the same machine, and otherwise as subnet.
-spec machine(node(), [offer()]) -> [transport()].
machine(Node, Offers) ->
    [uds || {uds, Ip, _} <- Offers, own(Ip)] ++ subnet(Node, Offers).

%% Whether an address is in the same subnet as this machine. The subnets are those of
%% its network interfaces, unless the parameter `near` lists others:
%% [{{10, 0, 0, 0}, 8}].
-spec near(inet:ip_address()) -> boolean().
near(Ip) ->
    Networks = case goepmd_config:parameter(near) of
                   interfaces -> interfaces();
                   Listed -> Listed
               end,
    lists:any(fun(Network) -> in(Ip, Network) end, Networks).

%% Whether an address is one of this machine's.
-spec own(inet:ip_address()) -> boolean().
own({127, _, _, _}) -> true;
own(Ip) -> lists:keymember(Ip, 1, interfaces()).

-spec interfaces() -> [network()].
interfaces() ->
    {ok, Interfaces} = inet:getifaddrs(),
    lists:append([networks(Options) || {_, Options} <- Interfaces]).

%% The mask of an address stands somewhere behind it, before the next address.
networks([{addr, Ip}, {netmask, Mask} | Options]) -> [{Ip, Mask} | networks(Options)];
networks([_ | Options]) -> networks(Options);
networks([]) -> [].

in(Ip, {Base, Bits}) when is_integer(Bits), tuple_size(Ip) =:= tuple_size(Base) ->
    <<A:Bits, _/bits>> = bytes(Ip),
    <<B:Bits, _/bits>> = bytes(Base),
    A =:= B;
in(Ip, {Base, Mask}) when tuple_size(Ip) =:= tuple_size(Base) ->
    [A, B, M] = [binary:decode_unsigned(bytes(X)) || X <- [Ip, Base, Mask]],
    A band M =:= B band M;
in(_, _) ->
    false.

bytes(Ip) when tuple_size(Ip) =:= 4 -> << <<N>> || N <- tuple_to_list(Ip) >>;
bytes(Ip) when tuple_size(Ip) =:= 8 -> << <<N:16>> || N <- tuple_to_list(Ip) >>.
