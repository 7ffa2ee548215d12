/* SPDX-License-Identifier: Apache-2.0 */
#if !defined(_POSIX_C_SOURCE) && !defined(_GNU_SOURCE)
#define _POSIX_C_SOURCE 200809L
#endif
#include "wse_remote.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double seconds_of(const char* variable, double otherwise) {
  const char* text = getenv(variable);
  const double value = text != NULL ? strtod(text, NULL) : 0;
  return value > 0 && value < 1e6 ? value : otherwise;
}

static double answer_seconds(void) { return seconds_of("WSE_REMOTE_TIMEOUT", WSE_REMOTE_SECONDS); }

/* Keeps the reason, closes, gives -1. */
static int fail(wse_remote* r, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(r->reason, sizeof r->reason, format, arguments);
  va_end(arguments);
  wse_remote_close(r);
  return -1;
}

/* Writes of a record fit into the buffer of a socket: they do not wait. */
static int send_all(wse_remote* r, const uint8_t* bytes, size_t size) {
  while (size > 0) {
    const ssize_t sent = send(r->socket, bytes, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return -1;
    bytes += sent;
    size -= (size_t)sent;
  }
  return 0;
}

static int send_record(wse_remote* r, unsigned type, const uint8_t* payload, uint32_t length) {
  uint8_t record[WSE_REMOTE_HEADER + 1024];
  wse_remote_put_header(record, type, length, r->clock);
  if (length > 0) memcpy(record + WSE_REMOTE_HEADER, payload, length);
  return send_all(r, record, WSE_REMOTE_HEADER + (size_t)length);
}

void wse_remote_refuse(wse_remote* r, const char* reason) {
  char text[sizeof r->reason];
  snprintf(text, sizeof text, "%s", reason); /* may be the reason of r itself */
  if (r->socket >= 0)
    send_record(r, WSE_REMOTE_ERROR, (const uint8_t*)text, (uint32_t)strlen(text));
  fail(r, "%s", text);
}

/* Tells the model as well what is wrong with its record. */
static int refuse(wse_remote* r, const char* format, ...) {
  char text[sizeof r->reason];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  wse_remote_refuse(r, text);
  return -1;
}

static int receive(wse_remote* r, uint8_t* bytes, size_t size) {
  const double limit = answer_seconds();
  const double start = now();
  while (size > 0) {
    const ssize_t got = recv(r->socket, bytes, size, MSG_WAITALL);
    if (got == 0 || (got < 0 && errno == ECONNRESET)) {
      return fail(r, "the model went away before clock %llu", (unsigned long long)r->clock);
    }
    if (got < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
      return fail(r, "nothing can be received: %s", strerror(errno));
    }
    if (got > 0) {
      bytes += got;
      size -= (size_t)got;
    }
    if (size > 0 && now() - start >= limit) {
      return fail(r, "the model has sent nothing for clock %llu in %g s (WSE_REMOTE_TIMEOUT)",
                  (unsigned long long)r->clock, limit);
    }
  }
  return 0;
}

/* Takes a record into `payload` of WSE_REMOTE_MOST_PAYLOAD bytes. Its type, or -1 with a reason. */
static int receive_record(wse_remote* r, uint8_t* payload, uint32_t* length) {
  uint8_t header[WSE_REMOTE_HEADER];
  if (receive(r, header, sizeof header) != 0) return -1;
  if (wse_remote_get(header, 4) != WSE_REMOTE_MAGIC)
    return refuse(r, "what the model sends is no record");
  const unsigned version = (unsigned)wse_remote_get(header + 4, 2);
  const int type = (int)wse_remote_get(header + 6, 2);
  if (version != WSE_REMOTE_VERSION && type != WSE_REMOTE_ERROR) {
    return refuse(r, "the model speaks version %u, the client version %u", version,
                  WSE_REMOTE_VERSION);
  }
  *length = (uint32_t)wse_remote_get(header + 8, 4);
  if (*length > WSE_REMOTE_MOST_PAYLOAD)
    return refuse(r, "a record of the model has %u bytes", *length);
  if (receive(r, payload, *length) != 0) return -1;
  if (type == WSE_REMOTE_ERROR)
    return fail(r, "the model refuses: %.*s", (int)*length, (const char*)payload);
  const uint64_t clock = wse_remote_get(header + 16, 8);
  if (clock != r->clock && type != WSE_REMOTE_BYE) {
    return refuse(r, "the model is in clock %llu, the client in clock %llu",
                  (unsigned long long)clock, (unsigned long long)r->clock);
  }
  return type;
}

static void set_timeouts(int fd, double seconds) {
  struct timeval t;
  t.tv_sec = (time_t)seconds;
  t.tv_usec = (suseconds_t)((seconds - (double)t.tv_sec) * 1e6) + 1; /* 0 would be for ever */
  if (t.tv_usec > 999999) t.tv_usec = 999999;
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t);
}

/* The model may start later: a path that is not there yet, or that an earlier run has left, is
   tried again. */
static int connect_to(wse_remote* r, const char* path) {
  const double limit = seconds_of("WSE_REMOTE_CONNECT_TIMEOUT", WSE_REMOTE_CONNECT_SECONDS);
  const double start = now();
  const struct timespec pause = {0, 20000000};
  struct sockaddr_un address;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  if (strlen(path) >= sizeof address.sun_path) {
    return fail(r, "%s: has %zu bytes, a socket's path has at most %zu", path, strlen(path),
                sizeof address.sun_path - 1);
  }
  memcpy(address.sun_path, path, strlen(path));
  for (;;) {
    r->socket = socket(AF_UNIX, SOCK_STREAM, 0);
    if (r->socket < 0) return fail(r, "no socket: %s", strerror(errno));
    set_timeouts(r->socket, limit);
    if (connect(r->socket, (const struct sockaddr*)&address, sizeof address) == 0) break;
    if (errno != ENOENT && errno != ECONNREFUSED && errno != EAGAIN && errno != EINTR) {
      return fail(r, "%s: %s", path, strerror(errno));
    }
    if (now() - start >= limit) {
      return fail(r,
                  "%s: no model listens there after %g s; start wse cosim .. --twin "
                  "router@X,Y=remote:unix:%s",
                  path, limit, path);
    }
    close(r->socket);
    r->socket = -1;
    nanosleep(&pause, NULL);
  }
  set_timeouts(r->socket, answer_seconds());
  return 0;
}

static int say_hello(wse_remote* r, const wse_remote_router* router) {
  uint8_t hello[WSE_REMOTE_HELLO_BYTES];
  unsigned in = 0, out = 0;
  for (unsigned i = 0; i < 6; ++i) {
    in += router->widths[i];
    out += router->widths[6 + i];
  }
  wse_remote_put(hello, 4, WSE_REMOTE_ROUTER);
  wse_remote_put(hello + 4, 4, router->slots);
  wse_remote_put(hello + 8, 4, (in + 7) / 8);
  wse_remote_put(hello + 12, 4, (out + 7) / 8);
  for (unsigned i = 0; i < WSE_REMOTE_PINS; ++i)
    wse_remote_put(hello + 16 + 2 * i, 2, router->widths[i]);
  return send_record(r, WSE_REMOTE_HELLO, hello, sizeof hello);
}

static int take_setup(wse_remote* r, const uint8_t* setup, uint32_t length) {
  r->mutant = length >= 8 ? (uint32_t)wse_remote_get(setup, 4) : 0;
  r->count = length >= 8 ? (uint32_t)wse_remote_get(setup + 4, 4) : 0;
  if (length < 8 || r->count > WSE_REMOTE_MOST_WRITES || length != 8 + 12 * r->count) {
    return refuse(r, "a setup of %u bytes and %u writes", length, r->count);
  }
  for (uint32_t i = 0; i < r->count; ++i) {
    const uint8_t* at = setup + 8 + (size_t)12 * i;
    r->writes[i].kind = (uint32_t)wse_remote_get(at, 4);
    r->writes[i].color = (uint32_t)wse_remote_get(at + 4, 4);
    r->writes[i].value = (uint32_t)wse_remote_get(at + 8, 4);
  }
  return 0;
}

int wse_remote_connect(wse_remote* r, const char* path, const wse_remote_router* router) {
  uint8_t payload[WSE_REMOTE_MOST_PAYLOAD];
  uint32_t length = 0;
  memset(r, 0, sizeof *r);
  r->socket = -1;
  if (connect_to(r, path) != 0) return -1;
  say_hello(r, router); /* a model that refuses has said why: the answer tells */
  const int type = receive_record(r, payload, &length);
  if (type < 0) return -1;
  if (type != WSE_REMOTE_SETUP) return refuse(r, "a record of type %d in place of the setup", type);
  return take_setup(r, payload, length);
}

int wse_remote_exchange(wse_remote* r, const uint8_t* outputs, uint8_t* inputs) {
  uint8_t payload[WSE_REMOTE_MOST_PAYLOAD];
  uint32_t length = 0;
  if (r->socket < 0) return -1;
  send_record(r, WSE_REMOTE_OUTPUTS, outputs, WSE_REMOTE_ROUTER_BYTES); /* as above */
  const int type = receive_record(r, payload, &length);
  if (type < 0) return -1;
  if (type == WSE_REMOTE_BYE) {
    wse_remote_close(r);
    return 0;
  }
  if (type != WSE_REMOTE_CLOCK || length != WSE_REMOTE_ROUTER_BYTES) {
    return refuse(r, "a record of type %d with %u bytes in place of clock %llu", type, length,
                  (unsigned long long)r->clock);
  }
  memcpy(inputs, payload, WSE_REMOTE_ROUTER_BYTES);
  ++r->clock;
  return 1;
}

void wse_remote_close(wse_remote* r) {
  if (r->socket >= 0) close(r->socket);
  r->socket = -1;
}
