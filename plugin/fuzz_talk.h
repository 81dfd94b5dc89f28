/*
  For fuzz.c: conversations of the real connection, while threads ask for keys, with an agent that keeps to the protocol or not.
  Copyright 2026 the Strongroom authors. SPDX-License-Identifier: GPL-2.0-only
*/

struct talk
{
  int listener, stop[2];
  struct chance chance; /* the agent's */
  int is_honest;
  atomic_uint asked, served, connections;
};

/* Whether a plugin may send this (docs/plugin-protocol.md). */
static int is_from_plugin(const struct frame *frame, int is_first)
{
  int is_bare= frame->flags == 0 && frame->length == 0 && frame->request != 0;
  switch (frame->type)
  {
  case FRAME_HELLO:
    return is_first && frame->flags == 0 && !frame->request && !frame->key_id && frame->version == AGENT_PROTOCOL;
  case FRAME_GET_KEY:
    return is_bare && frame->key_id && frame->version && frame->version <= LATEST_POSSIBLE_VERSION;
  case FRAME_GET_LATEST:
    return is_bare && frame->key_id && !frame->version;
  default:
    return frame->type == FRAME_ROTATE && is_bare && !frame->version;
  }
}

/* -1: the other side is gone, or it is time to stop. */
static int receive(struct talk *talk, int connection, uint8_t *to, size_t count)
{
  while (count)
  {
    struct pollfd fds[2]= { { connection, POLLIN, 0 }, { talk->stop[0], POLLIN, 0 } };
    poll(fds, 2, -1);
    ssize_t some= fds[1].revents ? 0 : recv(connection, to, count, 0);
    if (some <= 0)
      return -1;
    to+= some;
    count-= (size_t) some;
  }
  return 0;
}

static int receive_frame(struct talk *talk, int connection, struct frame *frame, int is_first)
{
  static uint8_t bytes[LONGEST_FRAME];
  if (receive(talk, connection, bytes, HEADER_LENGTH))
    return -1;
  *frame= (struct frame){ bytes[0], bytes[1], (uint16_t) (bytes[2] << 8 | bytes[3]), frame_get32(bytes + 4),
                          frame_get32(bytes + 8), frame_get32(bytes + 12), NULL };
  if (!is_from_plugin(frame, is_first) || frame->length > LONGEST_PAYLOAD)
    fail("the plugin sends what is no frame of a plugin");
  return receive(talk, connection, bytes + HEADER_LENGTH, frame->length);
}

static void say(int connection, const uint8_t *bytes, size_t count)
{
  send(connection, bytes, count, MSG_NOSIGNAL);
}

static void say_frame(int connection, struct frame frame)
{
  uint8_t bytes[LONGEST_FRAME];
  say(connection, bytes, frame_write(bytes, &frame));
}

static uint32_t latest_of(uint32_t id) { return 1 + id % 3; }

static void key_bytes(uint8_t to[LONGEST_KEY], uint32_t id, uint32_t version)
{
  for (size_t i= 0; i < LONGEST_KEY; i++)
    to[i]= (uint8_t) (secret[i] ^ (i < 4 ? (id * 31 + version) >> (8 * i) : 0));
}

static void answer_well(struct talk *talk, int connection, const struct frame *asking)
{
  uint8_t key[LONGEST_KEY];
  uint32_t version= asking->type == FRAME_GET_KEY ? asking->version : latest_of(asking->key_id);
  uint8_t latest= version == latest_of(asking->key_id) ? FLAG_LATEST : 0;
  key_bytes(key, asking->key_id, version);
  if (asking->type == FRAME_ROTATE)
    say_frame(connection, (struct frame){ FRAME_ROTATED, 0, 4, asking->request, asking->key_id, 0, (const uint8_t *) "done" });
  else
    say_frame(connection, (struct frame){ FRAME_KEY, latest, LONGEST_KEY, asking->request, asking->key_id, version, key });
  talk->served++;
}

static void say_anything(struct talk *talk, int connection)
{
  uint8_t space[LONGEST_INPUT];
  struct bytes input= { space, 0 };
  for (uint32_t pieces= 1 + below(&talk->chance, 3); pieces > 0; pieces--)
    append_piece(&input, &talk->chance);
  if (input.count)
    mutate(&input, &talk->chance);
  for (size_t at= 0; at < input.count;)
  {
    size_t some= 1 + below(&talk->chance, 2000);
    some= some < input.count - at ? some : input.count - at;
    say(connection, input.at + at, some);
    at+= some;
  }
}

/* Whether the conversation goes on. */
static int answer_somehow(struct talk *talk, int connection, const struct frame *asking)
{
  uint32_t kind= talk->is_honest ? 0 : below(&talk->chance, 16);
  struct frame again= { FRAME_FAILED, FLAG_AGAIN, 0, asking->request, asking->key_id, asking->version, NULL };
  if (kind < 9)
    answer_well(talk, connection, asking);
  else if (kind < 11)
    say_frame(connection, again);
  else if (kind < 13)
    say_anything(talk, connection);
  return kind < 15;
}

static void serve(struct talk *talk, int connection)
{
  static const uint8_t welcome[]= "SRKMkeyring=mariadb\0keyring-id=0123456789abcdef";
  struct frame frame;
  uint8_t bytes[LONGEST_FRAME];
  uint32_t manner= talk->is_honest ? 9 : below(&talk->chance, 12);
  struct frame first= { FRAME_WELCOME, 0, sizeof welcome, 0, 0, AGENT_PROTOCOL, welcome };
  talk->connections++;
  if (manner == 0 || receive_frame(talk, connection, &frame, 1))
    return;
  if (manner == 1)
    first= (struct frame){ FRAME_REFUSED, 0, 2, 0, 0, 0, (const uint8_t *) "no" };
  if (manner == 2)
    return say_anything(talk, connection);
  size_t length= frame_write(bytes, &first);
  say(connection, bytes, manner == 3 ? below(&talk->chance, (uint32_t) length) : length);
  if (manner == 3 && below(&talk->chance, 2))
    return;
  while (receive_frame(talk, connection, &frame, 0) == 0 && answer_somehow(talk, connection, &frame))
    ;
}

static void *be_agent(void *argument)
{
  struct talk *talk= argument;
  struct pollfd fds[2]= { { talk->listener, POLLIN, 0 }, { talk->stop[0], POLLIN, 0 } };
  while (poll(fds, 2, -1) >= 0 && !fds[1].revents)
  {
    int connection= accept4(talk->listener, NULL, NULL, SOCK_CLOEXEC);
    serve(talk, connection);
    close(connection);
  }
  return NULL;
}

struct asker
{
  struct talk *talk;
  struct chance chance;
  uint32_t id, version; /* that it asks for */
};

static void check_key(const struct held_key *key, void *argument)
{
  struct asker *asker= argument;
  uint8_t bytes[LONGEST_KEY];
  key_bytes(bytes, key->id, key->version);
  if (key->id != asker->id || key->version != asker->version)
    fail("another key than was asked for");
  if (asker->talk->is_honest && (key->length != LONGEST_KEY || memcmp(key->bytes, bytes, LONGEST_KEY) != 0))
    fail("other bytes than the agent sent");
}

static void see_key(const struct held_key *key, void *argument) { *(uint32_t *) argument+= key->version; }

static void *ask_for_keys(void *argument)
{
  struct asker *asker= argument;
  static const uint32_t ids[]= { 1, 2, 3, 0xffffffffU, 0 }, versions[]= { 1, 2, 3, 4294967293U, 4294967295U, 0 };
  for (int i= 0; i < 8; i++)
  {
    struct link_answer answer= { .text= "" };
    char text[LONGEST_TEXT];
    uint32_t kind= below(&asker->chance, 8), sum= 0;
    asker->id= ids[below(&asker->chance, 5)];
    asker->version= versions[below(&asker->chance, 6)];
    if (kind < 3)
      link_latest_version(asker->id, &answer);
    else if (kind < 6)
      link_key(asker->id, asker->version, check_key, asker, &answer);
    else if (kind < 7)
      link_rotate(asker->id, &answer);
    if (asker->talk->is_honest && kind < 3 && answer.outcome == LINK_DONE && answer.version != latest_of(asker->id))
      fail("another version than the agent's latest");
    check_text(answer.text);
    link_each_key(see_key, &sum);
    link_state(text);
    asker->talk->asked++;
  }
  return NULL;
}

enum { ASKERS= 3 };

static void converse_with_askers(struct talk *talk, const char *socket)
{
  struct link_options options= { socket, "region=eu-west-1", 17, 8 + below(&talk->chance, 30) };
  pthread_t agent, threads[ASKERS];
  struct asker askers[ASKERS];
  char text[LONGEST_TEXT];
  pthread_create(&agent, NULL, be_agent, talk);
  if (link_open(&options, text) >= 0)
  {
    for (size_t i= 0; i < ASKERS; i++)
    {
      askers[i]= (struct asker){ talk, chance_of((uint64_t) conversation << 8 | i), 0, 0 };
      pthread_create(&threads[i], NULL, ask_for_keys, &askers[i]);
    }
    for (size_t i= 0; i < ASKERS; i++)
      pthread_join(threads[i], NULL);
    link_close();
  }
  check_text(text);
  if (write(talk->stop[1], "", 1) != 1)
    fail("the agent's thread can't be stopped");
  pthread_join(agent, NULL);
}

static unsigned long long questions, served, connections;

static void have_conversation(void)
{
  struct talk talk= { .chance= chance_of(~(uint64_t) ++conversation) };
  struct sockaddr_un address= { .sun_family= AF_UNIX, .sun_path= "agent.sock" };
  unlink(address.sun_path);
  talk.listener= socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  talk.is_honest= below(&talk.chance, 4) == 0;
  choose_secret(&talk.chance);
  allocations_left= ~0U;
  if (pipe(talk.stop) || bind(talk.listener, (struct sockaddr *) &address, sizeof address) || listen(talk.listener, 8))
    fail("there is no socket to talk over");
  converse_with_askers(&talk, address.sun_path);
  unlink(address.sun_path);
  close(talk.listener);
  close(talk.stop[0]);
  close(talk.stop[1]);
  questions+= talk.asked;
  served+= talk.served;
  connections+= talk.connections;
}

static int count_open_files(void)
{
  int count= 0;
  DIR *files= opendir("/proc/self/fd");
  while (readdir(files))
    count++;
  closedir(files);
  return count;
}
