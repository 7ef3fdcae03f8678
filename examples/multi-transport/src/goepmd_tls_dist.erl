%% TLS: `-proto_dist goepmd_tls`, registered as inet_tls.
%%
%% It is inet_tls_dist of OTP, except that goepmd knows which listener registers, and
%% says for which nodes it is used.
-module(goepmd_tls_dist).

-export([transport/0, listen/2, select/1]).
-export([accept/1, accept_connection/5, setup/5, close/1, address/0, is_node_name/1]).
-export([childspecs/0]).

transport() -> inet_tls.
listen(Name, Host) -> goepmd:listening(inet_tls, fun() -> inet_tls_dist:listen(Name, Host) end).
select(Node) -> goepmd:select(Node, inet_tls).

accept(Listener) -> inet_tls_dist:accept(Listener).
accept_connection(Acceptor, Socket, Node, Allowed, Time) ->
    inet_tls_dist:accept_connection(Acceptor, Socket, Node, Allowed, Time).
setup(Node, Type, MyNode, Names, Time) -> inet_tls_dist:setup(Node, Type, MyNode, Names, Time).
close(Listener) -> inet_tls_dist:close(Listener).
address() -> inet_tls_dist:address().
is_node_name(Node) -> inet_tls_dist:is_node_name(Node).
childspecs() -> inet_tls_dist:childspecs().
