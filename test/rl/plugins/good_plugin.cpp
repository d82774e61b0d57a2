// A machine of 8x6 pixels: the screen's brightness is the number of the frame, the reward the action, and it ends after 10 frames.
#include <libzoo/rl/ale_plugin.h>

#include <algorithm>
#include <cstdio>
#include <cstring>

struct zoo_ale_console {
  int32_t frame = 0, last = 0;
};

namespace {

int open_console(const char* rom, zoo_ale_console** console, char* error, size_t error_size) {
  std::FILE* file = std::fopen(rom, "rb");
  if (!file) {
    std::snprintf(error, error_size, "no such ROM");
    return 1;
  }
  std::fclose(file);
  *console = new zoo_ale_console;
  return 0;
}
void close_console(zoo_ale_console* console) { delete console; }
void screen_size(const zoo_ale_console* console, int32_t* height, int32_t* width) {
  *height = 8;
  *width = 6;
}
int32_t minimal_actions(const zoo_ale_console* console, int32_t* actions, int32_t room) {
  const int32_t all[3] = {0, 3, 11};
  std::copy_n(all, std::min(room, 3), actions);
  return 3;
}
void reset(zoo_ale_console* console) { *console = {}; }
double act(zoo_ale_console* console, int32_t action) {
  ++console->frame;
  console->last = action;
  return action;
}
int game_over(const zoo_ale_console* console) { return console->frame >= 10; }
void screen(const zoo_ale_console* console, uint8_t* rgb) { std::memset(rgb, 20 * console->frame, 8 * 6 * 3); }
size_t save(const zoo_ale_console* console, uint8_t* to, size_t room) {
  if (room >= sizeof *console) std::memcpy(to, console, sizeof *console);
  return sizeof *console;
}
int load(zoo_ale_console* console, const uint8_t* from, size_t size, char* error, size_t error_size) {
  if (size != sizeof *console) {
    std::snprintf(error, error_size, "%zu bytes are no state", size);
    return 1;
  }
  std::memcpy(console, from, size);
  return 0;
}

}  // namespace

const zoo_ale_api* zoo_ale_plugin(void) {
  static const zoo_ale_api api = {ZOO_ALE_VERSION, open_console, close_console, screen_size, minimal_actions, reset, act,
                                  game_over,       screen,       save,          load};
  return &api;
}
