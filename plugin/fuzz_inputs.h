/*
  For fuzz.c: inputs, made by chance out of seeds; the same for the same number.
  Copyright 2026 the Strongroom authors. SPDX-License-Identifier: GPL-2.0-only
*/

/* --- Chance, the same for the same seed */

struct chance { uint64_t state; };

static struct chance chance_of(uint64_t number)
{
  return (struct chance){ seed * 0x9e3779b97f4a7c15U ^ number * 0xd1342543de82ef95U };
}

/* splitmix64: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014. */
static uint32_t below(struct chance *chance, uint32_t limit)
{
  uint64_t z= chance->state+= 0x9e3779b97f4a7c15U;
  z= (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
  z= (z ^ z >> 27) * 0x94d049bb133111ebU;
  return (uint32_t) ((z ^ z >> 31) >> 32) % limit;
}

/* --- Inputs */

struct bytes
{
  uint8_t *at;
  size_t count;
};

static struct bytes *seeds;
static uint32_t seed_count;

static void read_seed(const char *path)
{
  FILE *file= fopen(path, "rb");
  struct bytes *one= &seeds[seed_count++];
  one->at= malloc(LONGEST_INPUT);
  if (!file || (one->count= fread(one->at, 1, LONGEST_INPUT, file)) < CONFIGURATION)
    fail("a seed that can't be read");
  fclose(file);
  one->at+= CONFIGURATION;
  one->count-= CONFIGURATION;
}

static void append(struct bytes *to, const uint8_t *bytes, size_t count)
{
  size_t some= count < LONGEST_INPUT - to->count ? count : LONGEST_INPUT - to->count;
  memcpy(to->at + to->count, bytes, some);
  to->count+= some;
}

static const uint8_t pattern[LONGEST_KEY]= {
  0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf,
  0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf };

/* A frame as an agent might send it, of few ids and versions, so that they meet. */
static void append_likely(struct bytes *to, struct chance *chance)
{
  static const uint32_t numbers[]= { 0, 1, 2, 3, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xffffffff };
  static const uint8_t text[]= "a text\nof two lines", options[]= "SRKMkeyring=mariadb\0keyring-id=0123456789abcdef\0keyring-id=";
  uint8_t frame_bytes[LONGEST_FRAME];
  uint32_t number= numbers[below(chance, 15)], id= 1 + below(chance, 3), version= 1 + below(chance, 9);
  struct frame frame= { FRAME_KEY, (uint8_t) below(chance, 4), 32, number, id, version, pattern };
  switch (below(chance, 8))
  {
  case 0:
    frame= (struct frame){ FRAME_WELCOME, 0, (uint16_t) (4 + below(chance, sizeof options - 4)), 0, 0, 1, options };
    break;
  case 1:
    frame= (struct frame){ FRAME_ABSENT, 0, (uint16_t) below(chance, sizeof text), number, id, version, text };
    break;
  case 2:
    frame= (struct frame){ FRAME_FAILED, (uint8_t) (4 * below(chance, 4)), sizeof text, number, id, version, text };
    break;
  case 3:
    frame= (struct frame){ FRAME_ROTATED, 0, sizeof text, number, id, 0, text };
    break;
  case 4:
    frame= (struct frame){ FRAME_REFUSED, 0, sizeof text, 0, 0, 0, text };
    break;
  default:
    frame.length= below(chance, 4) ? 32 : 16;
  }
  append(to, frame_bytes, frame_write(frame_bytes, &frame));
}

static void append_piece(struct bytes *to, struct chance *chance)
{
  uint32_t kind= below(chance, 20);
  if (kind < 9)
  {
    struct bytes *one= &seeds[below(chance, seed_count)];
    append(to, one->at, one->count);
  }
  else if (kind < 19)
    append_likely(to, chance);
  else
    for (uint32_t i= below(chance, 64); i > 0; i--)
    {
      uint8_t byte= (uint8_t) below(chance, 256);
      append(to, &byte, 1);
    }
}

static void mutate(struct bytes *input, struct chance *chance)
{
  static const uint8_t edges[]= { 0, 1, 0x0f, 0x10, 0x11, 0x20, 0x7f, 0x80, 0xff };
  uint32_t at= below(chance, (uint32_t) input->count), some= 1 + below(chance, 40);
  struct bytes *other= &seeds[below(chance, seed_count)];
  if (some > input->count - at)
    some= (uint32_t) (input->count - at);
  switch (below(chance, 7))
  {
  case 0:
    input->at[at]^= (uint8_t) (1U << below(chance, 8));
    break;
  case 1:
    input->at[at]= edges[below(chance, sizeof edges)];
    break;
  case 2: /* end */
    input->count= at;
    break;
  case 3: /* leave out */
    memmove(input->at + at, input->at + at + some, input->count - at - some);
    input->count-= some;
    break;
  case 4: /* repeat */
    append(input, input->at + at, some);
    break;
  case 5: /* go on as another */
    input->count= at;
    append(input, other->at + below(chance, (uint32_t) other->count), other->count / 2);
    break;
  default: /* a length, where the first frame has it */
    if (input->count > 4)
      input->at[2 + below(chance, 2)]= edges[below(chance, sizeof edges)];
  }
}

static void choose_secret(struct chance *chance)
{
  static const char digits[]= "0123456789abcdef";
  for (size_t i= 0; i < LONGEST_KEY; i++)
  {
    secret[i]= (uint8_t) below(chance, 256);
    secret_digits[2 * i]= digits[secret[i] / 16];
    secret_digits[2 * i + 1]= digits[secret[i] % 16];
  }
}

/* Gives the keys that are taken new bytes. Where these turn up in a text, they have leaked; an agent's text holds none. */
static void plant_secret(struct bytes *input, struct chance *chance)
{
  struct frame frame;
  int length;
  choose_secret(chance);
  for (size_t at= 0; (length= frame_read(&frame, input->at + at, input->count - at)) > 0; at+= (size_t) length)
    if (frame.type == FRAME_KEY && frame.length <= LONGEST_KEY && memcmp(frame.payload, pattern, frame.length) == 0)
      memcpy(input->at + at + HEADER_LENGTH, secret, frame.length);
}

static void make_input(struct bytes *input, struct chance *chance)
{
  input->count= 0;
  for (uint32_t pieces= 1 + below(chance, 6); pieces > 0; pieces--)
    append_piece(input, chance);
  for (uint32_t times= below(chance, 3) ? below(chance, 4) : 0; times > 0 && input->count; times--)
    mutate(input, chance);
  plant_secret(input, chance);
}
