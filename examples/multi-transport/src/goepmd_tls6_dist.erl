%% TLS over IPv6: `-proto_dist goepmd_tls6`, registered as inet6_tls.
%%
%% It is inet6_tls_dist of OTP, except that goepmd knows which listener registers, and
%% says for which nodes it is used.
-module(goepmd_tls6_dist).

-export([transport/0, listen/2, select/1]).
-export([accept/1, accept_connection/5, setup/5, close/1, address/0, is_node_name/1]).
-export([childspecs/0]).

transport() -> inet6_tls.
listen(Name, Host) -> goepmd:listening(inet6_tls, fun() -> inet6_tls_dist:listen(Name, Host) end).
select(Node) -> goepmd:select(Node, inet6_tls).

accept(Listener) -> inet6_tls_dist:accept(Listener).
accept_connection(Acceptor, Socket, Node, Allowed, Time) ->
    inet6_tls_dist:accept_connection(Acceptor, Socket, Node, Allowed, Time).
setup(Node, Type, MyNode, Names, Time) -> inet6_tls_dist:setup(Node, Type, MyNode, Names, Time).
close(Listener) -> inet6_tls_dist:close(Listener).
address() -> inet6_tls_dist:address().
is_node_name(Node) -> inet_tls_dist:is_node_name(Node).

%% Both kinds of TLS use one supervisor, for which only one may ask.
childspecs() ->
    case lists:member(inet_tls, goepmd_config:transports()) of
        true -> {ok, []};
        false -> inet6_tls_dist:childspecs()
    end.
