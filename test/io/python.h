// Python as the other side of a format: skipped, with a line that says so, where python3 or a package is missing.
#pragma once

#include "test/catch.h"
#include "test/io/files.h"

#include <cstdlib>
#include <optional>

namespace zoo::test {

// The first interpreter that has the packages: $ZOO_PYTHON, the private environment that holds LibTorch, the system's.
inline std::optional<std::string> python_with(const std::string& packages) {
  const char* chosen = std::getenv("ZOO_PYTHON");
  for (const std::string& python :
       {std::string(chosen ? chosen : "python3"), std::string(ZOO_SOURCE_DIR "/third_party/venv/bin/python"), std::string("python3")}) {
    if (std::system((python + " -c 'import " + packages + "' >/dev/null 2>&1").c_str()) == 0) return python;
  }
  WARN("SKIP: no python3 here has " << packages);
  return std::nullopt;
}

// True if the script ends well; it finds the folder in sys.argv[1].
inline bool runs(const std::string& python, const TemporaryFolder& folder, const std::string& script) {
  std::ofstream(folder / "script.py") << "import sys\nfolder = sys.argv[1]\n" << script;
  return std::system((python + " '" + (folder / "script.py").string() + "' '" + folder.path().string() + "'").c_str()) == 0;
}

}  // namespace zoo::test
