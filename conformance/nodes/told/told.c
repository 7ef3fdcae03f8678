/* A C node of erl_interface. It does what each line of its input says, and answers with a
 * line. */
#include <ei.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static ei_cnode self;
static int port, listener, epmd;

/* take accepts nodes, and lets each stay until it leaves. */
static void *take(void *unused)
{
    for (;;) {
        ErlConnect peer;
        int fd = ei_accept(&self, listener, &peer);
        if (fd < 0)
            continue;
        ei_x_buff message;
        erlang_msg about;
        ei_x_new(&message);
        while (ei_xreceive_msg(fd, &about, &message) != ERL_ERROR)
            message.index = 0;
        ei_x_free(&message);
        close(fd);
    }
    return unused;
}

/* ask connects to a node and lets it evaluate node(). */
static void ask(char *node, char *answer, size_t room)
{
    int fd = ei_connect(&self, node);
    if (fd < 0) {
        snprintf(answer, room, "not connected, %d", erl_errno);
        return;
    }
    ei_x_buff args, reply;
    ei_x_new(&args);
    ei_x_new(&reply);
    ei_x_encode_empty_list(&args);
    char said[MAXATOMLEN] = "";
    int at = 0;
    if (ei_rpc(&self, fd, "erlang", "node", args.buff, args.index, &reply) < 0 || ei_decode_atom(reply.buff, &at, said) != 0)
        snprintf(answer, room, "no answer, %d", erl_errno);
    else
        snprintf(answer, room, "%s", said);
    ei_x_free(&args);
    ei_x_free(&reply);
    close(fd);
}

/* leave ends the registration: by a request, or by the end of the connection alone. */
static void leave(int by_request)
{
    if (by_request)
        ei_unpublish(&self);
    close(epmd);
}

/* restart leaves and comes back at once, again and again. */
static void restart(int times, int by_request, char *answer, size_t room)
{
    for (int i = 1; i <= times; i++) {
        leave(by_request);
        epmd = ei_publish(&self, port);
        if (epmd < 0) {
            snprintf(answer, room, "refused at start %d, %d", i, erl_errno);
            return;
        }
    }
    snprintf(answer, room, "ok");
}

int main(int argc, char **argv)
{
    pthread_t taker;
    char line[512], answer[512], word[64], rest[256];
    if (argc != 3 || ei_init() != 0 || ei_connect_init(&self, argv[1], argv[2], 0) < 0)
        return 1;
    if ((listener = ei_listen(&self, &port, 5)) < 0 || (epmd = ei_publish(&self, port)) < 0) {
        fprintf(stderr, "refused, %d\n", erl_errno);
        return 1;
    }
    if (pthread_create(&taker, NULL, take, NULL) != 0)
        return 1;
    printf("READY %s\n", ei_thisnodename(&self));
    fflush(stdout);
    for (int n = 1; fgets(line, sizeof line, stdin); n++) {
        word[0] = rest[0] = 0;
        sscanf(line, "%63s %255s", word, rest);
        snprintf(answer, sizeof answer, "ok");
        if (strcmp(word, "port") == 0)
            snprintf(answer, sizeof answer, "%d", port);
        else if (strcmp(word, "ask") == 0)
            ask(rest, answer, sizeof answer);
        else if (strcmp(word, "unpublish") == 0)
            leave(1);
        else if (strcmp(word, "restart") == 0)
            restart(atoi(rest), 1, answer, sizeof answer);
        else if (strcmp(word, "drop") == 0)
            restart(atoi(rest), 0, answer, sizeof answer);
        else
            snprintf(answer, sizeof answer, "what is that?");
        printf("ANSWER %d %s\n", n, answer);
        fflush(stdout);
    }
    return 0; /* as a program that is ended: nothing is unregistered */
}
