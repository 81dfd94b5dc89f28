/*
  For the tests: what an agent may never send, sent to the plugin's connection. Most inputs go straight to the code that takes
  frames; some go through a real socket while threads ask for keys. Run by scripts/fuzz-plugin.ts; ends at the first fault.
  Copyright 2026 the Strongroom authors. SPDX-License-Identifier: GPL-2.0-only
*/
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/mman.h>

/* The keys in blocks of exactly their size: the sanitizers don't see a step beyond what mmap gave. */
static unsigned int allocations_left= ~0U;

static void *allocate(size_t size)
{
  if (allocations_left == 0)
    return MAP_FAILED;
  allocations_left--;
  return calloc(1, size);
}

#define mmap(address, size, protection, flags, file, offset) allocate(size)
#define munmap(address, size) free(address)
#define mlock(address, size) ((void) (address), 0)
#define madvise(address, size, advice) (void) (address)
#include "held_keys.c"
#include "agent_talk.c"
#include "agent_connection.c"
#include "agent_link.c"
#include <dirent.h>
#include <stdarg.h>
#include <stdatomic.h>

enum { CONFIGURATION= 4, LONGEST_INPUT= 3 * LONGEST_FRAME, REQUESTS= 12 };

/* --- Faults */

static atomic_ullong messages;

static void fail(const char *what)
{
  fprintf(stderr, "fuzz: FAULT: %s\n", what);
  abort();
}

/* The key bytes of this input, also as digits; they may be in no text. */
static uint8_t secret[LONGEST_KEY];
static char secret_digits[2 * LONGEST_KEY + 1];

static void check_text(const char *text)
{
  enum { TELLING= 6 };
  size_t length= strlen(text);
  for (size_t at= 0; length >= TELLING && *secret_digits && at + TELLING <= LONGEST_KEY; at++)
    if (memmem(text, length, secret + at, TELLING) || memmem(text, length, secret_digits + 2 * at, 2 * TELLING))
      fail("key bytes in a text");
  for (size_t i= 0; i < length; i++)
    if ((unsigned char) text[i] < ' ')
      fail("a text of several lines");
}

void link_tell(enum link_level level, const char *format, ...)
{
  char text[LONGEST_TEXT + 300];
  va_list arguments;
  (void) level;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  messages++;
  check_text(text);
}

/* --- One input, straight to the code that takes frames */

/* What the vectors' answers answer, so that they find who waits for them. */
static const struct { uint32_t number; uint8_t type; uint32_t id, version; } asked[REQUESTS]= {
  { 1, FRAME_GET_KEY, 1, 1 }, { 2, FRAME_GET_LATEST, 1, 0 }, { 3, FRAME_GET_KEY, 2, 2 }, { 5, FRAME_GET_KEY, 3, 1 },
  { 6, FRAME_GET_KEY, 1, 9 }, { 7, FRAME_GET_LATEST, 10, 0 }, { 8, FRAME_GET_KEY, 1, 1 }, { 9, FRAME_GET_LATEST, 1, 0 },
  { 10, FRAME_GET_KEY, 1, 2 }, { 11, FRAME_ROTATE, 0, 0 }, { 13, FRAME_ROTATE, 1, 0 }, { 14, FRAME_ROTATE, 0, 0 } };
static struct request requests[REQUESTS];
static unsigned long long keys_taken, answers_taken, welcomes_taken;

enum { CONNECTED= 1, HOLDS_KEY= 2, HAS_TOLD= 4, OTHER_KEYRING= 8, NO_MEMORY= 16 };

static void set_up(const uint8_t *configuration)
{
  static const uint8_t held[LONGEST_KEY]= "held before the input came";
  struct frame key= { FRAME_KEY, FLAG_LATEST, LONGEST_KEY, 0, 1, 7, held };
  allocations_left= ~0U;
  self= secret_memory(sizeof *self);
  self->options= (struct link_options){ "/nowhere/agent.sock", "", 0, 20 };
  self->is_connected= (configuration[0] & CONNECTED) != 0;
  self->last_number= asked[REQUESTS - 1].number;
  self->told= configuration[0] & HAS_TOLD ? 1 : 0;
  if (configuration[0] & HOLDS_KEY)
    hold_key(&self->held, &key);
  if (configuration[0] & OTHER_KEYRING)
    strcpy(self->keyring_id, "0123456789abcdef0123456789abcdef");
  if (configuration[0] & NO_MEMORY)
    allocations_left= 0;
  for (size_t i= REQUESTS; i-- > 0;)
  {
    static const enum request_state states[4]= { SENT, SENT, WAITING, ANSWERED };
    enum request_state state= states[(configuration[1] * (i + 1)) % 4];
    requests[i]= (struct request){ self->requests, asked[i].type, asked[i].number, asked[i].id, asked[i].version, state,
                                   calloc(1, sizeof(struct link_answer)) };
    self->requests= &requests[i];
  }
}

struct outcome
{
  int result;
  uint64_t digest;
};

static void digest(uint64_t *sum, const void *bytes, size_t count)
{
  for (size_t i= 0; i < count; i++)
    *sum= (*sum ^ ((const uint8_t *) bytes)[i]) * 1099511628211U;
}

/* Checks what may never be so, and sums up the rest. */
static uint64_t tear_down(void)
{
  uint64_t sum= 14695981039346656037U;
  uint32_t count= 0;
  if (memcmp(self->in + self->in_length, (const uint8_t[LONGEST_FRAME]){ 0 }, sizeof self->in - self->in_length) != 0)
    fail("bytes that were taken are left in the buffer");
  for (size_t bucket= 0; bucket < BUCKETS; bucket++)
    for (struct held_key *key= self->held.buckets[bucket]; key; key= key->next, count++)
    {
      uint32_t numbers[]= { key->id, key->version, key->length, (uint32_t) key->is_latest };
      digest(&sum, numbers, sizeof numbers);
      digest(&sum, key->bytes, key->length);
      if (key->id % BUCKETS != bucket || (key->length != 16 && key->length != LONGEST_KEY))
        fail("a key that no frame can bring");
      for (struct held_key *other= key->next; other; other= other->next)
        if (other->id == key->id && (other->version == key->version || (other->is_latest && key->is_latest)))
          fail("a version twice, or two that are the latest");
    }
  if (count != self->held.count)
    fail("the count of the keys is wrong");
  for (size_t i= 0; i < REQUESTS; i++)
  {
    struct link_answer *answer= requests[i].answer;
    uint32_t numbers[]= { requests[i].state, answer->outcome, answer->version };
    digest(&sum, numbers, sizeof numbers);
    digest(&sum, answer->text, strlen(answer->text) + 1);
    check_text(answer->text);
    answers_taken+= requests[i].state == ANSWERED && answer->version;
    if (answer->version && answer->outcome == LINK_DONE && requests[i].type != FRAME_ROTATE &&
        (!find_key(&self->held, requests[i].id, answer->version) ||
         (requests[i].type == FRAME_GET_KEY && answer->version != requests[i].version)))
      fail("an answer with another key than was asked for");
    free(answer);
  }
  uint32_t flags[]= { (uint32_t) self->is_connected, (uint32_t) self->is_refused, self->round };
  digest(&sum, flags, sizeof flags);
  digest(&sum, self->state, strlen(self->state) + 1);
  digest(&sum, self->keyring_id, strlen(self->keyring_id) + 1);
  check_text(self->state);
  check_text(self->keyring_id);
  keys_taken+= count;
  welcomes_taken+= self->round;
  drop_keys(&self->held);
  free_secret_memory(self, sizeof *self);
  self= NULL;
  return sum;
}

static uint8_t *exact_copy(const uint8_t *bytes, size_t count)
{
  uint8_t *copy= malloc(count ? count : 1);
  memcpy(copy, bytes, count);
  return copy;
}

/* A fault of the driver's own, as the proof that faults are seen. */
static const char *self_test= "";

static void step_too_far(const uint8_t *bytes, size_t count)
{
  static volatile uint8_t sink;
  if (strcmp(self_test, "overread") == 0)
    sink= bytes[count];
  if (strcmp(self_test, "secret") == 0 && memmem(bytes, count, secret, 16))
    link_tell(TELL_INFO, "took %.*s", 16, (const char *) memmem(bytes, count, secret, 16));
  (void) sink;
}

static int read_exactly(struct frame *frame, const uint8_t *bytes, size_t count)
{
  uint8_t *copy= exact_copy(bytes, count);
  int length= frame_read(frame, copy, count);
  free(copy);
  return length;
}

static uint32_t latest_held(uint32_t id)
{
  struct held_key *key= find_key(&self->held, id, 0);
  return key ? key->version : 0;
}

/* Frame by frame, each in a block of its own size. */
static struct outcome take_one_by_one(const uint8_t *bytes, size_t count)
{
  struct outcome outcome= { 0, 0 };
  struct frame frame;
  int length;
  while (outcome.result == 0 && (length= read_exactly(&frame, bytes, count)) != 0)
  {
    if (length < 0 || (size_t) length > count)
    {
      outcome.result= -1;
      break;
    }
    if (read_exactly(&frame, bytes, (size_t) length - 1) != 0 || read_exactly(&frame, bytes, HEADER_LENGTH - 1) != 0)
      fail("a frame that is not whole is taken or refused");
    uint8_t *whole= exact_copy(bytes, (size_t) length);
    frame_read(&frame, whole, (size_t) length);
    step_too_far(whole, (size_t) length);
    uint32_t latest= latest_held(frame.key_id);
    pthread_mutex_lock(&lock);
    outcome.result= take_frame(&frame);
    pthread_mutex_unlock(&lock);
    if (latest_held(frame.key_id) < latest)
      fail("what is latest has gone back");
    free(whole);
    bytes+= length;
    count-= (size_t) length;
  }
  outcome.digest= tear_down();
  return outcome;
}

/* As a socket gives them: cut anywhere. */
static struct outcome take_as_they_come(const uint8_t *bytes, size_t count, unsigned int pace)
{
  struct outcome outcome= { 0, 0 };
  while (count && outcome.result == 0)
  {
    size_t some= pace == 0 ? count : pace < 128 ? pace : 1 + (pace * 2654435761U >> 16 ^ count * 40503U) % 300;
    some= some < count ? some : count;
    uint8_t *copy= exact_copy(bytes, some);
    outcome.result= link_receive(copy, some);
    free(copy);
    bytes+= some;
    count-= some;
  }
  outcome.digest= tear_down();
  return outcome;
}

static void fuzz_one(const uint8_t *input, size_t size)
{
  if (size < CONFIGURATION)
    return;
  set_up(input);
  struct outcome one= take_one_by_one(input + CONFIGURATION, size - CONFIGURATION);
  set_up(input);
  struct outcome other= take_as_they_come(input + CONFIGURATION, size - CONFIGURATION, input[2]);
  if (one.result != other.result || one.digest != other.digest)
    fail("the same bytes, cut otherwise, have another effect");
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
  fuzz_one(input, size);
  return 0;
}

#ifndef LIBFUZZER
/* --- What is sent, where libFuzzer doesn't choose it */

static uint64_t seed;
static long long execution, conversation= -1;

static void tell_where(void)
{
  if (conversation >= 0)
    fprintf(stderr, "fuzz: in conversation %lld of --seed %llu\n", conversation, (unsigned long long) seed);
  else
    fprintf(stderr, "fuzz: again with --replay %llu:%lld\n", (unsigned long long) seed, execution);
}

#include "fuzz_inputs.h"
#include "fuzz_talk.h"

static void execute(long long number)
{
  static uint8_t space[CONFIGURATION + LONGEST_INPUT];
  struct chance chance= chance_of((uint64_t) number);
  struct bytes input= { space + CONFIGURATION, 0 };
  execution= number;
  for (size_t i= 0; i < CONFIGURATION; i++)
    space[i]= (uint8_t) below(&chance, 256);
  /* Whoever is not connected takes nothing but a welcome; memory seldom ends. */
  if (below(&chance, 4))
    space[0]|= CONNECTED;
  if (below(&chance, 8))
    space[0]&= (uint8_t) ~(NO_MEMORY | OTHER_KEYRING);
  make_input(&input, &chance);
  uint8_t *copy= exact_copy(space, CONFIGURATION + input.count);
  fuzz_one(copy, CONFIGURATION + input.count);
  free(copy);
}

/* There only where a sanitizer is. */
void __sanitizer_set_death_callback(void (*)(void)) __attribute__((weak));

static void on_abort(int signal)
{
  (void) signal;
  tell_where();
  _exit(1);
}

static void run_for(long long seconds)
{
  long long began= now(), talking= 0, number= 0;
  int files= count_open_files();
  while (now() - began < seconds * 1000)
  {
    /* A third of the time, because a conversation waits much and computes little. */
    long long before= now();
    long long so_far= conversation;
    have_conversation();
    talking+= now() - before;
    for (conversation= -1; now() - began - talking < 2 * talking && now() - began < seconds * 1000;)
      for (int i= 0; i < 100; i++)
        execute(number++);
    conversation= so_far + 1;
  }
  if (count_open_files() != files)
    fail("open files are left");
  long long computing= now() - began - talking;
  printf("fuzz: %lld inputs, %lld a second: %llu welcomes, %llu keys, %llu answers, %llu messages\n", number,
         number * 1000 / (computing ? computing : 1), welcomes_taken, keys_taken, answers_taken, (unsigned long long) messages);
  printf("fuzz: %lld conversations: %llu connections, %llu questions, %llu keys served\n", conversation + 1, connections,
         questions, served);
}

int main(int count, char **arguments)
{
  long long seconds= 60, replay= -1;
  seeds= calloc((size_t) count, sizeof *seeds);
  for (int i= 1; i < count; i++)
  {
    const char *value= i + 1 < count ? arguments[i + 1] : "", *colon= strchr(value, ':');
    if (strncmp(arguments[i], "--", 2) != 0)
    {
      read_seed(arguments[i]);
      continue;
    }
    if (strcmp(arguments[i], "--seconds") == 0)
      seconds= atoll(value);
    else if (strcmp(arguments[i], "--self-test") == 0)
      self_test= value;
    else if (strcmp(arguments[i], "--seed") == 0 || strcmp(arguments[i], "--replay") == 0)
      seed= strtoull(value, NULL, 10);
    if (strcmp(arguments[i], "--replay") == 0)
      replay= colon ? atoll(colon + 1) : 0;
    i++;
  }
  if (!seed_count)
  {
    fputs("usage: fuzz [--seconds N] [--seed N] [--replay SEED:INPUT] [--self-test overread|secret] SEED-FILE...\n"
          "makes agent.sock in the working directory\n", stderr);
    return 2;
  }
  signal(SIGABRT, on_abort);
  if (__sanitizer_set_death_callback)
    __sanitizer_set_death_callback(tell_where);
  printf("fuzz: --seed %llu, %u seed files\n", (unsigned long long) seed, seed_count);
  fflush(stdout);
  if (replay >= 0)
    execute(replay);
  else
    run_for(seconds);
  return 0;
}
#endif
