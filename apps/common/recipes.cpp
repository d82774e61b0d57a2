#include "apps/common/recipes.h"

#include <libzoo/core/error.h>
#include <libzoo/core/scalar_text.h>
#include <libzoo/core/suggest.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace zoo::apps {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> recipe_folders() {
  std::vector<fs::path> folders;
  if (const char* chosen = std::getenv("ZOO_RECIPES"); chosen && *chosen) folders.emplace_back(chosen);
  folders.push_back(program_folder() / "../share/zoo/recipes");
  folders.emplace_back(ZOO_SOURCE_RECIPES);
  return folders;
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored) && !fs::is_directory(path, ignored);
}

}  // namespace

fs::path program_folder() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path(".") : program.parent_path();
}

std::vector<std::string> recipe_names() {
  std::vector<std::string> names;
  for (const fs::path& folder : recipe_folders()) {
    std::error_code error;
    for (fs::recursive_directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
      if (it->path().extension() == ".yaml") names.push_back(it->path().lexically_relative(folder).replace_extension().string());
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

fs::path find_config(const std::string& name) {
  if (is_file(name)) return name;
  if (!name.empty() && fs::path(name).is_relative()) {
    for (const fs::path& folder : recipe_folders()) {
      for (const char* ending : {".yaml", ""}) {
        const fs::path path = (folder / (name + ending)).lexically_normal();
        if (is_file(path)) return path;
      }
    }
  }
  std::string list;
  for (const std::string& recipe : recipe_names()) list += (list.empty() ? "" : ", ") + recipe;
  throw UserError(fmt::format("--config: there is no file or recipe {}{}", shown(name), did_you_mean(name, recipe_names())),
                  list.empty() ? "no recipes were found; ZOO_RECIPES names their folder" : "recipes: " + list);
}

}  // namespace zoo::apps
