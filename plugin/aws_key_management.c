/*
  MariaDB's aws_key_management without AWS in it: the data keys come from the Strongroom agent, over a unix socket.
  Copyright 2026 the Strongroom authors. SPDX-License-Identifier: GPL-2.0-only

  Names, variables and log lines are those of MariaDB's own plugin, so that its configurations and playbooks go on working.
*/
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <mysql/plugin_encryption.h>
#include <mysql/service_my_print_error.h>
#include <pthread.h>
#include <time.h>
#include "agent_link.h"

enum { ER_UNKNOWN_ERROR= 1105 }; /* mysqld_error.h, which not every package of headers has */
enum { DEFAULT_TIMEOUT= 5000 };  /* ms */
enum { LONGEST_STATUS= 1000 };   /* SHOW_VAR_FUNC_BUFF_SIZE is 1024 in older servers */
enum { TELL_AGAIN= 60 };         /* seconds */

/* --- System variables */

static char *master_key_id, *region, *endpoint_url, *agent_socket;
static unsigned long key_spec, log_level;
static unsigned int request_timeout;
static long long rotate_key;

/* The last stands for what the option file doesn't say: then the agent's configuration does. */
static const char *key_spec_names[]= { "AES_128", "AES_256", "", NULL };
static TYPELIB key_specs= { .count= 3, .name= "key_specs", .type_names= key_spec_names };
enum { KEY_SPEC_UNSAID= 2 };

static const char *log_level_names[]= { "Off", "Fatal", "Error", "Warn", "Info", "Debug", "Trace", NULL };
static TYPELIB log_levels= { .count= 7, .name= "log_levels", .type_names= log_level_names };

static int rotate_at_once(MYSQL_THD thd, struct st_mysql_sys_var *variable, void *save, struct st_mysql_value *value);
static void stay_zero(MYSQL_THD thd, struct st_mysql_sys_var *variable, void *to, const void *save);

enum { FROM_FILE= PLUGIN_VAR_RQCMDARG | PLUGIN_VAR_READONLY };

static MYSQL_SYSVAR_STR(master_key_id, master_key_id, FROM_FILE,
  "Id, ARN or alias of the KMS master key that new keys are wrapped with. Empty: what the agent's configuration says", NULL, NULL, "");
static MYSQL_SYSVAR_ENUM(key_spec, key_spec, FROM_FILE,
  "Kind of new keys, AES_128 or AES_256. Empty: what the agent's configuration says", NULL, NULL, KEY_SPEC_UNSAID, &key_specs);
static MYSQL_SYSVAR_STR(region, region, FROM_FILE,
  "AWS region of the KMS. Empty: what the agent's configuration says", NULL, NULL, "");
static MYSQL_SYSVAR_STR(endpoint_url, endpoint_url, FROM_FILE,
  "URL of the KMS. Empty: what the agent's configuration says", NULL, NULL, "");
static MYSQL_SYSVAR_UINT(request_timeout, request_timeout, FROM_FILE,
  "Milliseconds that a request to the KMS, and one for a key that is not held, may take. 0: 5000", NULL, NULL, 0, 0, 60000, 1);
static MYSQL_SYSVAR_ENUM(log_level, log_level, FROM_FILE,
  "How much is logged besides keys and errors. One of Off, Fatal, Error, Warn, Info, Debug, Trace", NULL, NULL, 0, &log_levels);
static MYSQL_SYSVAR_LONGLONG(rotate_key, rotate_key, PLUGIN_VAR_RQCMDARG,
  "Set to a key id it makes a new version of that key, set to -1 of every key", rotate_at_once, stay_zero, 0, -1, 4294967295LL, 1);
static MYSQL_SYSVAR_STR(socket, agent_socket, FROM_FILE,
  "Unix socket at which the Strongroom agent listens for this server", NULL, NULL, "/run/strongroom/mariadb/agent.sock");

static struct st_mysql_sys_var *system_variables[]= {
  MYSQL_SYSVAR(master_key_id), MYSQL_SYSVAR(key_spec), MYSQL_SYSVAR(region), MYSQL_SYSVAR(endpoint_url), MYSQL_SYSVAR(request_timeout),
  MYSQL_SYSVAR(log_level), MYSQL_SYSVAR(rotate_key), MYSQL_SYSVAR(socket), NULL };

/* --- The error log */

/* mariadb-backup has none: it writes to the standard error, but not what is for the error log only. */
static unsigned long log_only(void)
{
  void **handler= dlsym(RTLD_DEFAULT, "error_handler_hook"), *without_log= dlsym(RTLD_DEFAULT, "my_message_stderr");
  return handler && without_log && *handler == without_log ? 0 : ME_ERROR_LOG_ONLY;
}

void link_tell(enum link_level level, const char *format, ...)
{
  char text[LONGEST_TEXT + 300];
  va_list arguments;
  unsigned long kind= level == TELL_ERROR ? 0 : level == TELL_WARNING ? ME_WARNING : ME_NOTE;
  if (level >= TELL_INFO && level > log_level)
    return;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  my_printf_error(ER_UNKNOWN_ERROR, "AWS KMS plugin: %s", log_only() | kind, text);
}

/* The server asks several times for what it can't have. */
static int is_news(unsigned int id, unsigned int version)
{
  static struct { unsigned int id, version; time_t told; } memory[16];
  static unsigned int next;
  static pthread_mutex_t lock= PTHREAD_MUTEX_INITIALIZER;
  struct timespec time;
  int is_new= 1;
  clock_gettime(CLOCK_MONOTONIC, &time);
  pthread_mutex_lock(&lock);
  for (unsigned int i= 0; i < 16; i++)
    if (memory[i].told && memory[i].id == id && memory[i].version == version && time.tv_sec - memory[i].told < TELL_AGAIN)
      is_new= 0;
  if (is_new)
  {
    memory[next].id= id;
    memory[next].version= version;
    memory[next].told= time.tv_sec + 1;
    next= (next + 1) % 16;
  }
  pthread_mutex_unlock(&lock);
  return is_new;
}

/* --- What the server asks */

static void tell_failure(unsigned int id, unsigned int version, const struct link_answer *answer)
{
  if (!is_news(id, version))
    return;
  if (answer->outcome == LINK_UNDECRYPTED)
    link_tell(TELL_ERROR, "key %u, version %u could not be decrypted: %s", id, answer->version, answer->text);
  else
    /* What isn't there is also asked for by typing errors, and by checks whether it is there. */
    link_tell(answer->outcome == LINK_ABSENT ? TELL_ALWAYS : TELL_ERROR, version ? "no key %u, version %u: %s" : "no key %u%.0u: %s", id,
              version, answer->text);
}

static unsigned int get_latest_key_version(unsigned int id)
{
  struct link_answer answer;
  link_latest_version(id, &answer);
  if (answer.outcome == LINK_DONE)
    return answer.version;
  tell_failure(id, 0, &answer);
  return ENCRYPTION_KEY_VERSION_INVALID;
}

struct wanted_key
{
  unsigned char *to;
  unsigned int *length, result;
};

static void copy_key(const struct held_key *key, void *argument)
{
  struct wanted_key *wanted= argument;
  wanted->result= *wanted->length < key->length ? ENCRYPTION_KEY_BUFFER_TOO_SMALL : 0;
  *wanted->length= key->length;
  if (!wanted->result && wanted->to)
    memcpy(wanted->to, key->bytes, key->length);
}

static unsigned int get_key(unsigned int id, unsigned int version, unsigned char *to, unsigned int *length)
{
  struct link_answer answer;
  struct wanted_key wanted= { to, length, ENCRYPTION_KEY_VERSION_INVALID };
  link_key(id, version, copy_key, &wanted, &answer);
  if (answer.outcome != LINK_DONE)
    tell_failure(id, version, &answer);
  return wanted.result;
}

/* In the check, where a statement can still fail, and while the server's lock on its variables is not held. */
static int rotate_at_once(MYSQL_THD thd, struct st_mysql_sys_var *variable, void *save, struct st_mysql_value *value)
{
  struct link_answer answer;
  long long wanted;
  (void) thd;
  (void) variable;
  if (value->val_int(value, &wanted) || wanted < -1 || wanted > 4294967295LL || (wanted < 0 && value->is_unsigned(value)))
    return 1;
  *(long long *) save= 0;
  if (wanted == 0)
    return 0;
  link_rotate(wanted < 0 ? 0 : (uint32_t) wanted, &answer);
  int has_failed= answer.outcome != LINK_DONE;
  my_printf_error(ER_UNKNOWN_ERROR, "AWS KMS plugin: %s", ME_ERROR_LOG | (has_failed ? 0 : ME_NOTE), answer.text);
  return has_failed;
}

static void stay_zero(MYSQL_THD thd, struct st_mysql_sys_var *variable, void *to, const void *save)
{
  (void) thd;
  (void) variable;
  (void) save;
  *(long long *) to= 0;
}

/* --- Status variables */

struct status_text
{
  char *text;
  size_t length;
  unsigned int last_id;
};

static void add_to_status(const struct held_key *key, void *argument)
{
  struct status_text *status= argument;
  if (status->length + 40 > LONGEST_STATUS)
    return;
  status->length+= (size_t) sprintf(status->text + status->length, key->id == status->last_id ? " %u" : status->length ? "; %u: " : "%u: ",
                                    key->id == status->last_id ? key->version : key->id);
  if (key->id != status->last_id)
    status->length+= (size_t) sprintf(status->text + status->length, "%u", key->version);
  status->last_id= key->id;
}

static int show_keys(MYSQL_THD thd, struct st_mysql_show_var *show, void *buffer, struct system_status_var *all, enum enum_var_type type)
{
  struct status_text status= { buffer, 0, 0 };
  (void) thd, (void) all, (void) type;
  status.text[0]= 0;
  link_each_key(add_to_status, &status);
  show->type= SHOW_CHAR;
  show->value= buffer;
  return 0;
}

static int show_count(MYSQL_THD thd, struct st_mysql_show_var *show, void *buffer, struct system_status_var *all, enum enum_var_type type)
{
  (void) thd, (void) all, (void) type;
  *(long long *) buffer= link_key_count();
  show->type= SHOW_LONGLONG;
  show->value= buffer;
  return 0;
}

static int show_age(MYSQL_THD thd, struct st_mysql_show_var *show, void *buffer, struct system_status_var *all, enum enum_var_type type)
{
  char text[LONGEST_TEXT];
  long long age= link_state(text);
  (void) thd, (void) all, (void) type;
  show->type= age < 0 ? SHOW_CHAR : SHOW_LONGLONG;
  show->value= buffer;
  if (age < 0)
    *(char *) buffer= 0;
  else
    *(long long *) buffer= age;
  return 0;
}

static int show_agent(MYSQL_THD thd, struct st_mysql_show_var *show, void *buffer, struct system_status_var *all, enum enum_var_type type)
{
  (void) thd, (void) all, (void) type;
  link_state(buffer);
  show->type= SHOW_CHAR;
  show->value= buffer;
  return 0;
}

static struct st_mysql_show_var status_variables[]= {
  { "Aws_key_management_agent", (void *) show_agent, SHOW_FUNC },
  { "Aws_key_management_keys", (void *) show_count, SHOW_FUNC },
  { "Aws_key_management_last_answer_age", (void *) show_age, SHOW_FUNC },
  { "Aws_key_management_versions", (void *) show_keys, SHOW_FUNC },
  { NULL, NULL, SHOW_UNDEF } };

/* --- Life */

static int has_started;

/* -1: it doesn't fit. */
static int add_option(char *options, size_t *length, const char *name, const char *value)
{
  size_t room= LONGEST_PAYLOAD - 4 - *length;
  if (!value || !*value)
    return 0;
  int added= snprintf(options + *length, room, "%s=%s", name, value);
  if (added < 0 || (size_t) added >= room)
    return -1;
  *length+= (size_t) added + 1;
  return 0;
}

static int start(void *unused)
{
  static char options[LONGEST_PAYLOAD];
  char text[LONGEST_TEXT], timeout[20]= "";
  struct link_options link= { agent_socket, options, 0, request_timeout ? request_timeout : DEFAULT_TIMEOUT };
  (void) unused;
  has_started= 1;
  rotate_key= 0;
  if (request_timeout)
    snprintf(timeout, sizeof timeout, "%u", request_timeout);
  if (add_option(options, &link.options_length, "master-key-id", master_key_id) ||
      add_option(options, &link.options_length, "key-spec", key_spec_names[key_spec]) ||
      add_option(options, &link.options_length, "region", region) ||
      add_option(options, &link.options_length, "endpoint-url", endpoint_url) ||
      add_option(options, &link.options_length, "request-timeout", timeout))
  {
    link_tell(TELL_ERROR, "the aws_key_management options are longer than %d bytes together", LONGEST_PAYLOAD);
    return 1;
  }
  int failure= link_open(&link, text);
  if (failure < 0)
    link_tell(TELL_ERROR, "%s", text);
  else if (failure > 0)
    link_tell(TELL_ERROR, "the agent at %.200s was not to be had within %u ms (%.300s): it is tried again; see that strongroom agent runs",
              agent_socket, link.timeout, text);
  return failure < 0;
}

/*
  Of two plugins for encryption the server starts one, and of the other it says only that its registration failed. It then
  unloads that library, with its services taken away and its plugins locked: so this looks in the server's own symbols for
  who is active, and writes to the error log by itself.
*/
__attribute__((destructor)) static void tell_whose_place_is_taken(void)
{
  Dl_info active, server;
  struct encryption_service_st *handler= dlsym(RTLD_DEFAULT, "encryption_handler");
  if (!has_started && handler && dladdr(handler, &server) && dladdr((void *) handler->encryption_key_get_func, &active) &&
      strcmp(active.dli_fname, server.dli_fname) != 0)
    fprintf(stderr, "[ERROR] AWS KMS plugin: not started, because %s is active and the server takes only one plugin for encryption: take "
            "the plugin-load-add of one of the two out of the option file\n", active.dli_fname);
}

static int stop(void *unused)
{
  (void) unused;
  link_close();
  return 0;
}

/* Encryption itself is left to the server. */
static struct st_mariadb_encryption descriptor= {
  MariaDB_ENCRYPTION_INTERFACE_VERSION, get_latest_key_version, get_key, NULL, NULL, NULL, NULL, NULL };

#pragma GCC visibility push(default)
maria_declare_plugin(aws_key_management)
{
  MariaDB_ENCRYPTION_PLUGIN,
  &descriptor,
  "aws_key_management",
  "Strongroom",
  "Data keys from a KMS, through the Strongroom agent",
  PLUGIN_LICENSE_GPL,
  start,
  stop,
  0x0100,
  status_variables,
  system_variables,
  "1.0",
  MariaDB_PLUGIN_MATURITY_STABLE
}
maria_declare_plugin_end;
#pragma GCC visibility pop
