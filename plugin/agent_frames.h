/*
  Frames of the plugin protocol, version 1 (docs/plugin-protocol.md).
  Copyright 2026 the Strongroom authors. SPDX-License-Identifier: GPL-2.0-only
*/
#ifndef AGENT_FRAMES_H
#define AGENT_FRAMES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { AGENT_PROTOCOL= 1 };
enum { HEADER_LENGTH= 16, LONGEST_PAYLOAD= 4096, LONGEST_FRAME= HEADER_LENGTH + LONGEST_PAYLOAD };
enum { LONGEST_KEY= 32 };
/* The two versions above it are MariaDB's for errors (mysql/plugin_encryption.h). */
static const uint32_t LATEST_POSSIBLE_VERSION= 4294967293U;

enum frame_type
{
  FRAME_HELLO= 0x01, FRAME_GET_KEY= 0x02, FRAME_GET_LATEST= 0x03, FRAME_ROTATE= 0x04,
  FRAME_WELCOME= 0x81, FRAME_KEY= 0x82, FRAME_ABSENT= 0x83, FRAME_FAILED= 0x84, FRAME_ROTATED= 0x85, FRAME_REFUSED= 0x86
};

enum frame_flag { FLAG_LATEST= 0x01, FLAG_GENERATED= 0x02, FLAG_UNDECRYPTED= 0x04, FLAG_AGAIN= 0x08 };

struct frame
{
  uint8_t type, flags;
  uint16_t length;
  uint32_t request, key_id, version;
  /* Into the bytes that were read; of a frame that is written it is NULL where the length is 0. */
  const uint8_t *payload;
};

static inline uint32_t frame_get32(const uint8_t *from)
{
  return (uint32_t) from[0] << 24 | (uint32_t) from[1] << 16 | (uint32_t) from[2] << 8 | from[3];
}

static inline void frame_put32(uint8_t *to, uint32_t number)
{
  for (int i= 0; i < 4; i++)
    to[i]= (uint8_t) (number >> (24 - 8 * i));
}

/* Returns the bytes written: at most LONGEST_FRAME. */
static inline size_t frame_write(uint8_t *to, const struct frame *frame)
{
  to[0]= frame->type;
  to[1]= frame->flags;
  to[2]= (uint8_t) (frame->length >> 8);
  to[3]= (uint8_t) frame->length;
  frame_put32(to + 4, frame->request);
  frame_put32(to + 8, frame->key_id);
  frame_put32(to + 12, frame->version);
  if (frame->length)
    memcpy(to + HEADER_LENGTH, frame->payload, frame->length);
  return HEADER_LENGTH + (size_t) frame->length;
}

/* Whether the agent may send such a header. */
static inline int frame_is_from_agent(const struct frame *frame)
{
  int is_answer= frame->request != 0, is_text= frame->flags == 0 && frame->length <= LONGEST_PAYLOAD;
  int names_key= frame->key_id != 0 && frame->version <= LATEST_POSSIBLE_VERSION;
  int names_nothing= !is_answer && frame->key_id == 0;
  switch (frame->type)
  {
  case FRAME_WELCOME:
    return is_text && names_nothing && frame->length >= 4 && frame->version == AGENT_PROTOCOL;
  case FRAME_KEY:
    return (frame->flags & ~(FLAG_LATEST | FLAG_GENERATED)) == 0 && (is_answer || frame->flags & FLAG_LATEST) &&
           names_key && frame->version != 0 && (frame->length == 16 || frame->length == LONGEST_KEY);
  case FRAME_ABSENT:
    return is_text && is_answer && names_key;
  case FRAME_FAILED:
    return (frame->flags & ~(FLAG_UNDECRYPTED | FLAG_AGAIN)) == 0 && frame->length <= LONGEST_PAYLOAD && is_answer &&
           frame->version <= LATEST_POSSIBLE_VERSION;
  case FRAME_ROTATED:
    return is_text && is_answer && frame->version == 0;
  case FRAME_REFUSED:
    return is_text && names_nothing && frame->version == 0;
  default:
    return 0;
  }
}

/*
  Reads the frame that `count` bytes from the agent begin with. Returns its whole length; 0: more bytes are needed;
  -1: this is no frame of the protocol, whatever may follow.
*/
static inline int frame_read(struct frame *frame, const uint8_t *bytes, size_t count)
{
  if (count < HEADER_LENGTH)
    return 0;
  frame->type= bytes[0];
  frame->flags= bytes[1];
  frame->length= (uint16_t) (bytes[2] << 8 | bytes[3]);
  frame->request= frame_get32(bytes + 4);
  frame->key_id= frame_get32(bytes + 8);
  frame->version= frame_get32(bytes + 12);
  frame->payload= bytes + HEADER_LENGTH;
  if (!frame_is_from_agent(frame))
    return -1;
  if (count < HEADER_LENGTH + (size_t) frame->length)
    return 0;
  if (frame->type == FRAME_WELCOME && memcmp(frame->payload, "SRKM", 4) != 0)
    return -1;
  return HEADER_LENGTH + frame->length;
}

#endif
