#include "test/architecture/house_rules.h"
#include "test/files.h"
#include "test/catch.h"

using namespace zoo::architecture;
using namespace zoo::test;
using namespace zoo::test;

TEST_CASE("rooms include only the rooms that their CMakeLists.txt lists", "[architecture]") {
  const auto rooms = read_rooms(ZOO_ROOMS_JSON);
  REQUIRE(rooms.size() >= 8);
  std::string report;
  for (const auto& line : breaches(ZOO_SOURCE_DIR, rooms)) report += line + "\n";
  INFO(report);
  CHECK(report.empty());
}

TEST_CASE("rooms stand on floors: no room uses another in a circle, and core uses none", "[architecture]") {
  const auto rooms = read_rooms(ZOO_ROOMS_JSON);
  CHECK(floors(rooms).size() == rooms.size());
  CHECK(floors(rooms).front() == "core");
  CHECK_FALSE(rooms.at("core").torch);
  CHECK(rooms.at("core").uses.empty());
  CHECK_THROWS_WITH(floors({{"a", {false, {"b"}}}, {"b", {false, {"a"}}}, {"c", {}}}), Contains("circle: a b"));
}

TEST_CASE("the check of rooms sees each kind of breach, with file and line", "[architecture]") {
  TemporaryFolder tree;
  write_text(tree / "libzoo/core/error.h", "#include <string>\n");
  write_text(tree / "libzoo/io/file.h", "#pragma once\n#include <libzoo/core/error.h>\n#include <vector>\n");
  write_text(tree / "libzoo/nn/layer.h", "#include <torch/nn/module.h>\n#include <libzoo/io/file.h>\n");
  const Rooms rooms{{"core", {false, {}}}, {"io", {false, {"core"}}}, {"nn", {true, {"core", "io"}}}};
  CHECK(breaches(tree.path(), rooms).empty());

  auto only_breach = [&](const std::string& file, const std::string& text) {
    write_text(tree / file, text);
    const auto found = breaches(tree.path(), rooms);
    std::filesystem::remove_all(tree / file);
    return found.size() == 1 ? found[0] : std::to_string(found.size()) + " breaches";
  };
  CHECK(only_breach("libzoo/io/bad.h", "\n# include <libzoo/nn/layer.h>\n") ==
        "libzoo/io/bad.h:2: room io may not include libzoo/nn/layer.h (its CMakeLists.txt does not list nn under USES)");
  CHECK_THAT(only_breach("libzoo/io/bad.cpp", "#include \"libzoo/nn/layer.h\"\n"), Contains("libzoo/io/bad.cpp:1: room io may not"));
  CHECK_THAT(only_breach("libzoo/nn/kernels/bad.cu", "#include <libzoo/nn/gone.h>\n"), Contains("gone.h, which does not exist"));
  CHECK_THAT(only_breach("libzoo/nn/bad.cpp", "#include \"../io/file.h\"\n"), Contains("included as <libzoo/room/file.h>"));
  CHECK_THAT(only_breach("libzoo/nn/bad.cpp", "#include <torch/torch.h>\n"), Contains("include the narrow header"));
  CHECK_THAT(only_breach("libzoo/io/bad.cpp", "#include <ATen/ATen.h>\n"), Contains("declared without TORCH"));
  CHECK_THAT(only_breach("libzoo/nn/bad.h", "#include <fmt/format.h>\n"), Contains("public header includes fmt/format.h"));
  CHECK_THAT(only_breach("libzoo/nn/bad.cpp", "\nat::parallel_for(0, n, 1, work);\n"),
             Contains("libzoo/nn/bad.cpp:2: at::parallel_for runs on one"));
  CHECK_THAT(only_breach("libzoo/cellar/bad.h", ""), Contains("libzoo/cellar: the folder is no room"));

  std::filesystem::remove_all(tree / "libzoo/cellar");
  auto with_more = rooms;
  with_more["attic"] = {false, {"roof"}};
  CHECK(breaches(tree.path(), with_more) ==
        std::vector<std::string>{"libzoo/attic: the room has no folder", "libzoo/attic: uses roof, which is no room"});
}
