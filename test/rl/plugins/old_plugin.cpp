#include <libzoo/rl/ale_plugin.h>

const zoo_ale_api* zoo_ale_plugin(void) {
  static const zoo_ale_api api = {ZOO_ALE_VERSION + 1};
  return &api;
}
