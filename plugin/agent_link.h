/*
  The connection to the agent (docs/plugin-protocol.md). One thread keeps it, and connects again when it is lost. Whoever wants a
  key that is held gets it from memory; whoever wants another waits for that thread, for a limited time.
  Copyright 2026 the Strongroom authors. SPDX-License-Identifier: GPL-2.0-only
*/
#ifndef AGENT_LINK_H
#define AGENT_LINK_H

#include "held_keys.h"

enum { LONGEST_TEXT= 512 };

struct link_options
{
  const char *socket;
  /* For the hello: `name=value`, each with its NUL. At most LONGEST_PAYLOAD less four bytes. */
  const char *options;
  size_t options_length;
  unsigned int timeout; /* ms */
};

/* 0 once the agent has welcomed us, 1 when it could not be had within the time-out (it is tried again), -1 when it refuses. */
int link_open(const struct link_options *options, char text[LONGEST_TEXT]);

/* Ends the thread and zeroes the keys. Nobody may ask any more. */
void link_close(void);

/* ABSENT: there is no such key, and none is made. UNDECRYPTED: the KMS did not unwrap it. FAILED: it can't be had now. */
enum link_outcome { LINK_DONE, LINK_ABSENT, LINK_UNDECRYPTED, LINK_FAILED };

struct link_answer
{
  enum link_outcome outcome;
  uint32_t version;        /* the latest; of what is undecrypted the one that is concerned */
  char text[LONGEST_TEXT]; /* why not; of a rotation what was done */
};

/* From memory, else from the agent. */
void link_latest_version(uint32_t id, struct link_answer *answer);

/* The same. Where it is done, `use` was lent the key for the length of the call. */
void link_key(uint32_t id, uint32_t version, void (*use)(const struct held_key *, void *), void *argument,
              struct link_answer *answer);

/* Has the agent make a new version of an id; of all for 0. */
void link_rotate(uint32_t id, struct link_answer *answer);

uint32_t link_key_count(void);

/* Calls `see` for every held key. */
void link_each_key(void (*see)(const struct held_key *, void *), void *argument);

/* Seconds since the agent last said anything; -1: never. `text`: "connected", or why not. */
long long link_state(char text[LONGEST_TEXT]);

/* What the connection has to say; given by whoever uses it. The level is one of log_level's. */
enum link_level { TELL_ERROR= 2, TELL_WARNING= 3, TELL_INFO= 4, TELL_ALWAYS= 0 };
void link_tell(enum link_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* For tests: takes bytes as they come from the agent. -1: the connection has to end. */
int link_receive(const uint8_t *bytes, size_t count);

#endif
