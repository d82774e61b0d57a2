// Recipes: YAML files that come with the programs, named bit/demo for recipes/bit/demo.yaml. Looked up in $ZOO_RECIPES,
// beside an installed program (../share/zoo/recipes), and in the source tree that the program was built from.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace zoo::apps {

// The file that --config NAME means: the file itself if it exists, else a recipe. Throws UserError, with a suggestion.
std::filesystem::path find_config(const std::string& name);

std::vector<std::string> recipe_names();

std::filesystem::path program_folder();  // of the running program

}  // namespace zoo::apps
