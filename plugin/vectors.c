/*
  For the tests: reads and writes frames as the lines of its input say, with the plugin's own code.
  "read HEX" gives "LENGTH TYPE FLAGS REQUEST ID VERSION HEX", "refused" or "more"; "write TYPE FLAGS REQUEST ID VERSION HEX"
  gives HEX. Numbers are decimal; HEX is - where there is no byte.
  Copyright 2026 the Strongroom authors. SPDX-License-Identifier: GPL-2.0-only
*/
#include "agent_frames.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { LONGEST_HEX= 2 * (LONGEST_FRAME + 4) };
/* scanf has to be told its 8232 characters. */
static char hex[LONGEST_HEX + 1];

/* A block of exactly their size, beyond which the sanitizers see every step. */
static uint8_t *bytes_of(const char *text, size_t *count)
{
  *count= strcmp(text, "-") == 0 ? 0 : strlen(text) / 2;
  uint8_t *bytes= malloc(*count ? *count : 1);
  for (size_t i= 0; i < *count; i++)
    sscanf(text + 2 * i, "%2" SCNx8, bytes + i);
  return bytes;
}

static void print_bytes(const uint8_t *bytes, size_t count)
{
  for (size_t i= 0; i < count; i++)
    printf("%02x", bytes[i]);
  puts(count ? "" : "-");
}

static void read_one(void)
{
  struct frame frame;
  size_t count;
  uint8_t *bytes= bytes_of(hex, &count);
  int length= frame_read(&frame, bytes, count);
  if (length <= 0)
    puts(length ? "refused" : "more");
  else
  {
    printf("%d %u %u %u %u %u ", length, frame.type, frame.flags, frame.request, frame.key_id, frame.version);
    print_bytes(frame.payload, frame.length);
  }
  free(bytes);
}

static void write_one(struct frame frame)
{
  size_t count;
  uint8_t *payload= bytes_of(hex, &count), *out= malloc(HEADER_LENGTH + count);
  frame.length= (uint16_t) count;
  frame.payload= count ? payload : NULL;
  print_bytes(out, frame_write(out, &frame));
  free(payload);
  free(out);
}

int main(void)
{
  char verb[8];
  struct frame frame;
  while (scanf("%7s", verb) == 1)
  {
    if (strcmp(verb, "read") == 0 && scanf("%8232s", hex) == 1)
      read_one();
    else if (scanf("%" SCNu8 "%" SCNu8 "%" SCNu32 "%" SCNu32 "%" SCNu32 "%8232s", &frame.type, &frame.flags, &frame.request,
                   &frame.key_id, &frame.version, hex) == 6)
      write_one(frame);
    else
      return 2;
  }
  return 0;
}
