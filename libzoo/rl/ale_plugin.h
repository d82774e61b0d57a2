/* The interface, in C, through which libzoo plays Atari games on an emulator that it does not contain.
 *
 * A plug-in is a shared library that exports
 *
 *   const zoo_ale_api* zoo_ale_plugin(void);
 *
 * as declared below. It is a program of its own, under its own licence (the Arcade Learning Environment's is GPL-2.0), and a dozen
 * lines around ale::ALEInterface. It must switch off what libzoo does itself (repeat_action_probability 0, frame_skip 1), and leave the
 * check of the ROM's MD5 on. Functions return 0 for success, and describe a failure in `error`, a text of at most `error_size` bytes
 * with its closing zero. One console is used by one thread at a time, several by several. */
#ifndef ZOO_ALE_PLUGIN_H
#define ZOO_ALE_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ZOO_ALE_VERSION 1

typedef struct zoo_ale_console zoo_ale_console; /* the plug-in's own */

typedef struct zoo_ale_api {
  uint32_t version; /* ZOO_ALE_VERSION */
  int (*open)(const char* rom, zoo_ale_console** console, char* error, size_t error_size);
  void (*close)(zoo_ale_console* console);
  void (*screen_size)(const zoo_ale_console* console, int32_t* height, int32_t* width); /* pixels */
  int32_t (*minimal_actions)(const zoo_ale_console* console, int32_t* actions, int32_t room); /* returns how many; ALE's numbers */
  void (*reset)(zoo_ale_console* console);
  double (*act)(zoo_ale_console* console, int32_t action); /* plays one frame, returns its reward */
  int (*game_over)(const zoo_ale_console* console);
  void (*screen)(const zoo_ale_console* console, uint8_t* rgb);                       /* [height, width, 3] */
  size_t (*save)(const zoo_ale_console* console, uint8_t* to, size_t room);           /* returns the bytes it needs */
  int (*load)(zoo_ale_console* console, const uint8_t* from, size_t size, char* error, size_t error_size);
} zoo_ale_api;

const zoo_ale_api* zoo_ale_plugin(void); /* what the plug-in defines */

#ifdef __cplusplus
}
#endif
#endif
