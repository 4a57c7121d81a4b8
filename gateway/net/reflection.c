/*
 * grpc.reflection.v1 and v1alpha ServerReflection, which differ in their package only. Answers come
 * from FileDescriptorSets; a file is sent with all files it needs that this stream has not had yet.
 */
#include <stdlib.h>
#include <string.h>

#include "gateway/net/grpc_server_internal.h"
#include "gateway/net/pb_lite.h"

#define FILES_MAX         128
#define ANSWER_BYTES_MAX  ((size_t)1024 * 1024)
#define REQUEST_BYTES_MAX 4096U
#define EXTENSIONS_MAX    256U
#define NESTING_MAX       16

/* FileDescriptorProto */
enum {
    FILE_NAME = 1,
    FILE_PACKAGE = 2,
    FILE_DEPENDENCY = 3,
    FILE_MESSAGE = 4,
    FILE_ENUM = 5,
    FILE_SERVICE = 6,
    FILE_EXTENSION = 7
};
/* DescriptorProto; EnumDescriptorProto and ServiceDescriptorProto have name 1 and members 2 */
enum {
    MESSAGE_NESTED = 3,
    MESSAGE_ENUM = 4,
    MESSAGE_EXTENSION = 6,
    MESSAGE_FIELD = 2,
    MESSAGE_ONEOF = 8
};

struct file {
    struct pb_bytes bytes; /* the FileDescriptorProto */
    struct pb_bytes name, package;
};

struct grpc_reflection_state {
    struct file files[FILES_MAX];
    size_t files_count;
    struct stream *streams;
    struct grpc_method methods[2];
};

struct stream {
    struct stream *prev, *next;
    grpc_call_t *call;
    bool sent[FILES_MAX];
    bool half_closed, full;
};

/* ---------------------------------------------------------------- looking things up */

static struct pb_bytes field_bytes(struct pb_bytes message, uint32_t number)
{
    struct pb_field field;
    struct pb_bytes found = {NULL, 0};
    while (pb_next(&message, &field)) {
        if (field.number == number && field.wire_type == 2)
            found = field.bytes;
    }
    return found;
}

static bool same(struct pb_bytes a, struct pb_bytes b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* Takes "name" or "name." from the front of *symbol. `name` is a part of it, without dots. */
static bool strip(struct pb_bytes *symbol, struct pb_bytes name)
{
    if (name.length == 0 || symbol->length < name.length ||
        memcmp(symbol->data, name.data, name.length) != 0)
        return false;
    if (symbol->length == name.length) {
        symbol->length = 0;
        return true;
    }
    if (symbol->data[name.length] != '.')
        return false;
    symbol->data += name.length + 1;
    symbol->length -= name.length + 1;
    return true;
}

/* Has `owner` a member (field, method, value, oneof …) of that name in that field? */
static bool has_member(struct pb_bytes owner, uint32_t number, struct pb_bytes name)
{
    struct pb_field field;
    while (pb_next(&owner, &field)) {
        if (field.number == number && field.wire_type == 2 &&
            same(field_bytes(field.bytes, 1), name))
            return true;
    }
    return false;
}

static bool message_has(struct pb_bytes message, struct pb_bytes symbol, int depth)
{
    if (!strip(&symbol, field_bytes(message, 1)))
        return false;
    if (symbol.length == 0 || has_member(message, MESSAGE_FIELD, symbol) ||
        has_member(message, MESSAGE_ONEOF, symbol) ||
        has_member(message, MESSAGE_EXTENSION, symbol))
        return true;
    struct pb_field field;
    while (depth < NESTING_MAX && pb_next(&message, &field)) {
        if (field.wire_type != 2)
            continue;
        if (field.number == MESSAGE_NESTED && message_has(field.bytes, symbol, depth + 1))
            return true;
        if (field.number == MESSAGE_ENUM &&
            (same(field_bytes(field.bytes, 1), symbol) || has_member(field.bytes, 2, symbol)))
            return true;
    }
    return false;
}

static bool file_has(const struct file *file, struct pb_bytes symbol)
{
    if (file->package.length > 0 && (!strip(&symbol, file->package) || symbol.length == 0))
        return false;
    struct pb_bytes rest = file->bytes;
    struct pb_field field;
    while (pb_next(&rest, &field)) {
        if (field.wire_type != 2)
            continue;
        struct pb_bytes name = field_bytes(field.bytes, 1), tail = symbol;
        if (field.number == FILE_MESSAGE && message_has(field.bytes, symbol, 0))
            return true;
        if (field.number == FILE_ENUM && (same(name, symbol) || has_member(field.bytes, 2, symbol)))
            return true;
        if (field.number == FILE_SERVICE && strip(&tail, name) &&
            (tail.length == 0 || has_member(field.bytes, 2, tail)))
            return true;
        if (field.number == FILE_EXTENSION && same(name, symbol))
            return true;
    }
    return false;
}

static int find_symbol(const struct grpc_reflection_state *state, struct pb_bytes symbol)
{
    for (size_t i = 0; symbol.length > 0 && i < state->files_count; i++) {
        if (file_has(&state->files[i], symbol))
            return (int)i;
    }
    return -1;
}

static int find_file(const struct grpc_reflection_state *state, struct pb_bytes name)
{
    for (size_t i = 0; i < state->files_count; i++) {
        if (same(state->files[i].name, name))
            return (int)i;
    }
    return -1;
}

/*
 * Calls `each` for every extension of `type` declared in `scope` (a file or a message). Stops, and
 * returns true, when it says so.
 */
static bool each_extension(struct pb_bytes scope, uint32_t message_field, uint32_t extension_field,
                           struct pb_bytes type, bool (*each)(void *user, uint64_t number),
                           void *user, int depth)
{
    struct pb_field field;
    while (pb_next(&scope, &field)) {
        if (field.wire_type != 2)
            continue;
        if (field.number == message_field && depth < NESTING_MAX &&
            each_extension(field.bytes, MESSAGE_NESTED, MESSAGE_EXTENSION, type, each, user,
                           depth + 1))
            return true;
        if (field.number != extension_field)
            continue;
        struct pb_bytes extendee = field_bytes(field.bytes, 2), rest = field.bytes;
        if (extendee.length == 0 || extendee.data[0] != '.' ||
            !same((struct pb_bytes){extendee.data + 1, extendee.length - 1}, type))
            continue;
        struct pb_field part;
        while (pb_next(&rest, &part)) {
            if (part.number == 3 && part.wire_type == 0 && each(user, part.value))
                return true;
        }
    }
    return false;
}

/* ---------------------------------------------------------------- answering */

static void add_file(const struct grpc_reflection_state *state, struct stream *stream,
                     struct pb_writer *list, size_t index)
{
    if (stream->sent[index])
        return;
    stream->sent[index] = true;
    const struct file *file = &state->files[index];
    pb_put_bytes(list, 1, file->bytes.data, file->bytes.length);
    struct pb_bytes rest = file->bytes;
    struct pb_field field;
    while (pb_next(&rest, &field)) {
        if (field.number != FILE_DEPENDENCY || field.wire_type != 2)
            continue;
        int needed = find_file(state, field.bytes);
        if (needed >= 0)
            add_file(state, stream, list, (size_t)needed); /* as deep as there are files */
    }
}

static void put_error(struct pb_writer *answer, enum grpc_status status, const char *text)
{
    uint8_t block[96];
    struct pb_writer error = {block, 0, sizeof block, false};
    pb_put_varint(&error, 1, (uint64_t)status);
    pb_put_bytes(&error, 2, text, strlen(text));
    pb_put_bytes(answer, 7, block, error.length);
}

static void put_files(const struct grpc_reflection_state *state, struct stream *stream,
                      struct pb_writer *answer, int index, struct pb_writer list)
{
    if (index < 0) {
        put_error(answer, GRPC_NOT_FOUND, "no such symbol or file");
        return;
    }
    stream->sent[index] = false; /* what is asked for is always sent */
    add_file(state, stream, &list, (size_t)index);
    if (list.overflow)
        put_error(answer, GRPC_RESOURCE_EXHAUSTED, "the descriptors are too large");
    else
        pb_put_bytes(answer, 4, list.data, list.length);
}

static bool is_this(void *user, uint64_t number)
{
    const uint64_t *wanted = user;
    return *wanted == number;
}

static void put_extension_file(const struct grpc_reflection_state *state, struct stream *stream,
                               struct pb_writer *answer, struct pb_bytes request,
                               struct pb_writer list)
{
    struct pb_bytes type = field_bytes(request, 1);
    struct pb_field field;
    uint64_t number = 0;
    while (pb_next(&request, &field)) {
        if (field.number == 2 && field.wire_type == 0)
            number = field.value;
    }
    int found = -1;
    for (size_t i = 0; i < state->files_count && found < 0; i++) {
        if (each_extension(state->files[i].bytes, FILE_MESSAGE, FILE_EXTENSION, type, is_this,
                           &number, 0))
            found = (int)i;
    }
    put_files(state, stream, answer, found, list);
}

static bool put_number(void *user, uint64_t number)
{
    struct pb_writer *list = user;
    if (list->length > EXTENSIONS_MAX * 8)
        return true;
    pb_put_varint(list, 2, number);
    return false;
}

static void put_extension_numbers(const struct grpc_reflection_state *state,
                                  struct pb_writer *answer, struct pb_bytes type,
                                  struct pb_writer list)
{
    if (find_symbol(state, type) < 0) {
        put_error(answer, GRPC_NOT_FOUND, "no such type");
        return;
    }
    pb_put_bytes(&list, 1, type.data, type.length);
    for (size_t i = 0; i < state->files_count; i++) {
        if (each_extension(state->files[i].bytes, FILE_MESSAGE, FILE_EXTENSION, type, put_number,
                           &list, 0))
            break;
    }
    pb_put_bytes(answer, 5, list.data, list.length);
}

static bool name_is_before(struct pb_bytes a, struct pb_bytes b)
{
    size_t n = a.length < b.length ? a.length : b.length;
    int order = memcmp(a.data, b.data, n);
    return order < 0 || (order == 0 && a.length < b.length);
}

static struct pb_bytes service_of(const struct method_slot *slot)
{
    const char *start = slot->method->path + 1;
    const char *end = strchr(start, '/');
    return (struct pb_bytes){(const uint8_t *)start, end != NULL ? (size_t)(end - start) : 0};
}

/* Each service once, in order: the smallest name larger than the last. Few and rare. */
static void put_services(const struct grpc_server *server, struct pb_writer *answer,
                         struct pb_writer list)
{
    struct pb_bytes last = {(const uint8_t *)"", 0};
    for (;;) {
        struct pb_bytes best = {NULL, 0};
        for (size_t i = 0; i < server->methods_capacity; i++) {
            if (server->methods[i].method == NULL)
                continue;
            struct pb_bytes name = service_of(&server->methods[i]);
            if (name_is_before(last, name) && (best.data == NULL || name_is_before(name, best)))
                best = name;
        }
        if (best.data == NULL)
            break;
        uint8_t block[300];
        struct pb_writer service = {block, 0, sizeof block, false};
        pb_put_bytes(&service, 1, best.data, best.length);
        pb_put_bytes(&list, 1, block, service.length);
        last = best;
    }
    pb_put_bytes(answer, 6, list.data, list.length);
}

/* ServerReflectionRequest: host 1, then one of 3 file, 4 symbol, 5 extension, 6 numbers, 7 list */
static void put_answer(const struct grpc_server *server, struct stream *stream,
                       struct pb_writer *answer, const struct pb_field *question,
                       struct pb_writer list)
{
    const struct grpc_reflection_state *state = server->reflection;
    switch (question->number) {
    case 3:
        put_files(state, stream, answer, find_file(state, question->bytes), list);
        break;
    case 4:
        put_files(state, stream, answer, find_symbol(state, question->bytes), list);
        break;
    case 5:
        put_extension_file(state, stream, answer, question->bytes, list);
        break;
    case 6:
        put_extension_numbers(state, answer, question->bytes, list);
        break;
    case 7:
        put_services(server, answer, list);
        break;
    default:
        put_error(answer, GRPC_INVALID_ARGUMENT, "the request asks for nothing");
        break;
    }
}

static void end_stream(grpc_call_t *call, enum grpc_status status, const char *message)
{
    struct stream *stream = grpc_call_user(call);
    const struct grpc_server *server = grpc_call_method_user(call);
    if (stream->prev != NULL)
        stream->prev->next = stream->next;
    else
        server->reflection->streams = stream->next;
    if (stream->next != NULL)
        stream->next->prev = stream->prev;
    free(stream);
    grpc_call_set_user(call, NULL);
    if (message != NULL)
        grpc_call_finish(call, status, message, NULL, 0);
}

static void on_message(grpc_call_t *call, const uint8_t *bytes, size_t length)
{
    const struct grpc_server *server = grpc_call_method_user(call);
    struct stream *stream = grpc_call_user(call);
    struct pb_bytes request = {bytes, length}, rest = request;
    struct pb_field field, question = {0};
    while (pb_next(&rest, &field)) {
        if (field.number >= 3 && field.number <= 7 && field.wire_type == 2)
            question = field;
    }
    if (rest.length > 0) {
        end_stream(call, GRPC_INVALID_ARGUMENT, "not a ServerReflectionRequest");
        return;
    }
    uint8_t *block = malloc(2 * ANSWER_BYTES_MAX + 2 * REQUEST_BYTES_MAX);
    if (block == NULL) {
        end_stream(call, GRPC_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    /* ServerReflectionResponse: valid_host 1, original_request 2, then the answer */
    struct pb_writer answer = {block, 0, ANSWER_BYTES_MAX + 2 * REQUEST_BYTES_MAX, false};
    struct pb_bytes host = field_bytes(request, 1);
    if (host.length > 0)
        pb_put_bytes(&answer, 1, host.data, host.length);
    pb_put_bytes(&answer, 2, bytes, length);
    /* the second half is for the list inside the answer, while it is made */
    struct pb_writer list = {block + answer.capacity, 0, ANSWER_BYTES_MAX, false};
    put_answer(server, stream, &answer, &question, list);
    enum grpc_send_result sent = grpc_call_send(call, answer.data, answer.length);
    free(block);
    if (sent == GRPC_SEND_FULL) {
        end_stream(call, GRPC_RESOURCE_EXHAUSTED, "the client does not read its answers");
    } else if (sent == GRPC_SEND_PAUSE) {
        stream->full = true;
        grpc_call_pause_reading(call);
    }
}

static void on_writable(grpc_call_t *call)
{
    struct stream *stream = grpc_call_user(call);
    stream->full = false;
    grpc_call_resume_reading(call);
}

static void on_start(grpc_call_t *call)
{
    const struct grpc_server *server = grpc_call_method_user(call);
    struct stream *stream = calloc(1, sizeof *stream);
    if (stream == NULL) {
        grpc_call_finish_busy(call, "out of memory", 1000);
        return;
    }
    stream->call = call;
    stream->next = server->reflection->streams;
    if (stream->next != NULL)
        stream->next->prev = stream;
    server->reflection->streams = stream;
    grpc_call_set_user(call, stream);
}

static void on_half_close(grpc_call_t *call)
{
    end_stream(call, GRPC_OK, "");
}

static void on_cancel(grpc_call_t *call)
{
    if (grpc_call_user(call) != NULL)
        end_stream(call, GRPC_OK, NULL);
}

/* ---------------------------------------------------------------- set-up */

bool grpc_reflection_add(grpc_server_t *server, const uint8_t *descriptor_set, size_t length)
{
    struct grpc_reflection_state *state = server->reflection;
    struct pb_bytes rest = {descriptor_set, length};
    struct pb_field field;
    while (pb_next(&rest, &field)) {
        if (field.number != 1 || field.wire_type != 2)
            continue;
        struct pb_bytes name = field_bytes(field.bytes, FILE_NAME);
        if (find_file(state, name) >= 0)
            continue;
        if (state->files_count == FILES_MAX)
            return false;
        state->files[state->files_count++] =
            (struct file){field.bytes, name, field_bytes(field.bytes, FILE_PACKAGE)};
    }
    return rest.length == 0;
}

void grpc_reflection_drain(grpc_server_t *server)
{
    while (server->reflection->streams != NULL)
        end_stream(server->reflection->streams->call, GRPC_UNAVAILABLE,
                   "the server is shutting down");
}

bool grpc_reflection_new(grpc_server_t *server)
{
    static const char *const paths[] = {
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
    };
    struct grpc_reflection_state *state = calloc(1, sizeof *state);
    if (state == NULL)
        return false;
    server->reflection = state;
    for (size_t i = 0; i < 2; i++)
        state->methods[i] = (struct grpc_method){
            .path = paths[i],
            .kind = GRPC_BIDI,
            .request_bytes_max = REQUEST_BYTES_MAX,
            .on_start = on_start,
            .on_message = on_message,
            .on_half_close = on_half_close,
            .on_cancel = on_cancel,
            .on_writable = on_writable,
            .user = server,
        };
    grpc_server_add_builtin(server, state->methods, 2);
    return true;
}

void grpc_reflection_free(grpc_server_t *server)
{
    if (server->reflection == NULL)
        return;
    while (server->reflection->streams != NULL) {
        struct stream *stream = server->reflection->streams;
        server->reflection->streams = stream->next;
        free(stream);
    }
    free(server->reflection);
    server->reflection = NULL;
}
