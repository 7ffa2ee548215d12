/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WSE_REMOTE_H
#define WSE_REMOTE_H

/*
 * A router in another process, a clock at a time: the records, and a client that needs C99 and
 * sockets only.
 *
 *   client                       model (wse cosim .. --twin router@X,Y=remote:unix:PATH)
 *                                listens at PATH
 *   HELLO kind, slots, widths ->
 *                             <- SETUP mutant, writes of the configuration
 *   OUTPUTS 0                 ->               after reset and the writes
 *                             <- CLOCK 0       inputs of clock 0
 *   OUTPUTS 1                 ->               of the state after clock 0
 *                             <- CLOCK 1 ..
 *                             <- BYE           in place of a CLOCK: the run is over
 *
 * Strictly in turns. Either side may send ERROR with a text in place of its record and close. A
 * clock is one that the router is given: the model leaves out cycles in which nothing can move in
 * the whole fabric, so the numbers are those of clocks from 0 on, not those of cycles.
 *
 * A record is a header of 24 bytes and a payload; all numbers are little-endian:
 *   0 magic 4, 4 version 2, 6 type 2, 8 bytes of the payload 4, 12 zero 4, 16 number of the clock 8
 * The first twelve bytes are the same in every version.
 */

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WSE_REMOTE_MAGIC 0x52455357u /* "WSER" */
#define WSE_REMOTE_VERSION 1u
#define WSE_REMOTE_HEADER 24
#define WSE_REMOTE_MOST_PAYLOAD 16384

enum wse_remote_type {
  WSE_REMOTE_HELLO =
      1, /* kind, slots of a queue, bytes of inputs, of outputs, 4 each; widths, 2 each */
  WSE_REMOTE_SETUP = 2,   /* mutant 4, count 4, writes: kind 4, color 4, value 4 each */
  WSE_REMOTE_CLOCK = 3,   /* inputs */
  WSE_REMOTE_OUTPUTS = 4, /* outputs */
  WSE_REMOTE_ERROR = 5,   /* text */
  WSE_REMOTE_BYE = 6      /* nothing */
};

#define WSE_REMOTE_ROUTER 1u /* the kind */

/* Pins of a router in the order of the widths: valid, data, color, control, advance, credit, in and
   out; then cfg_write, cfg_kind, cfg_color, cfg_value, mutant. */
#define WSE_REMOTE_PINS 17
#define WSE_REMOTE_HELLO_BYTES (16 + 2 * WSE_REMOTE_PINS)

/* Inputs and outputs alike: the first six pins one after the other from bit 0 on. */
#define WSE_REMOTE_ROUTER_BYTES 40

#define WSE_REMOTE_MOST_WRITES 1024

static inline void wse_remote_put(uint8_t* at, unsigned bytes, uint64_t value) {
  for (unsigned i = 0; i < bytes; ++i) at[i] = (uint8_t)(value >> (8 * i) & 255);
}

static inline uint64_t wse_remote_get(const uint8_t* at, unsigned bytes) {
  uint64_t value = 0;
  for (unsigned i = 0; i < bytes; ++i) value |= (uint64_t)at[i] << (8 * i);
  return value;
}

static inline void wse_remote_put_header(uint8_t* at, unsigned type, uint32_t length,
                                         uint64_t clock) {
  wse_remote_put(at, 4, WSE_REMOTE_MAGIC);
  wse_remote_put(at + 4, 2, WSE_REMOTE_VERSION);
  wse_remote_put(at + 6, 2, type);
  wse_remote_put(at + 8, 4, length);
  wse_remote_put(at + 12, 4, 0);
  wse_remote_put(at + 16, 8, clock);
}

/* A write of the configuration, for a clock with cfg_write. */
typedef struct wse_remote_write {
  uint32_t kind, color, value;
} wse_remote_write;

/* What a client says of its router. */
typedef struct wse_remote_router {
  uint32_t slots; /* that a queue of it holds */
  uint16_t widths[WSE_REMOTE_PINS];
} wse_remote_router;

/* A connection. Public so that nothing is allocated; the fields are to be read only. */
typedef struct wse_remote {
  int socket;     /* -1: none */
  uint64_t clock; /* that comes next */
  uint32_t mutant;
  uint32_t count; /* of the writes */
  wse_remote_write writes[WSE_REMOTE_MOST_WRITES];
  char reason[600]; /* of the last failure, for people */
} wse_remote;

/* Seconds that a client looks for the model, and waits for a record of it; the environment's
   WSE_REMOTE_CONNECT_TIMEOUT and WSE_REMOTE_TIMEOUT say otherwise. */
#define WSE_REMOTE_CONNECT_SECONDS 10.0
#define WSE_REMOTE_SECONDS 60.0

/* Connects, says hello and takes the setup. 0, or -1 with a reason. */
int wse_remote_connect(wse_remote* r, const char* path, const wse_remote_router* router);

/* Gives the outputs of this clock and takes its inputs, WSE_REMOTE_ROUTER_BYTES each. 1; 0 at the
   end of the run; -1 with a reason. */
int wse_remote_exchange(wse_remote* r, const uint8_t* outputs, uint8_t* inputs);

/* Ends the run for the model too, with a text that it prints. */
void wse_remote_refuse(wse_remote* r, const char* reason);

void wse_remote_close(wse_remote* r);

#ifdef __cplusplus
}
#endif
#endif
