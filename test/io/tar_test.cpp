#include "test/catch.h"
#include "test/io/records.h"

#include <libzoo/core/error.h>
#include <libzoo/io/tar.h>

#include <fmt/format.h>

using namespace zoo;
using namespace zoo::test;

namespace {

std::vector<io::TarMember> list(const io::Bytes& file) {
  io::TarReader tar(file, "t");
  std::vector<io::TarMember> members;
  while (auto member = tar.next()) members.push_back(std::move(*member));
  return members;
}

std::vector<io::TarMember> list(const std::string& file) { return list(bytes(file)); }

std::string octal(uint64_t size) { return fmt::format("{:011o}", size); }

// A header of the given type with its payload.
std::string member(const std::string& name, const std::string& payload, char type = '0') {
  return TarHeader{.name = name, .size = octal(payload.size()), .type = type}.bytes() + padded(payload);
}

std::string pax(const std::string& records, char type = 'x') { return member("pax", records, type); }

std::string written(const std::vector<std::pair<std::string, std::string>>& members) {
  TemporaryFolder folder;
  io::TarWriter writer(folder / "a.tar");
  for (const auto& [name, payload] : members) writer.add(name, io::view_bytes(payload));
  writer.commit();
  return read_text(folder / "a.tar");
}

}  // namespace

TEST_CASE("Members come back as they were written, whatever the length of their names", "[io]") {
  RandomStream random({.seed = 9});
  std::vector<std::pair<std::string, std::string>> members;
  for (size_t length = 1; length <= 300; ++length) {
    std::string name(length, 'n');
    for (uint64_t i = random.below(6); i > 0; --i) name[random.below(length)] = '/';
    if (name.back() == '/') name.back() = 'e';
    members.emplace_back(name, random_text_below(random, 2000));
  }
  members.emplace_back(std::string(70, 'a') + "/" + std::string(200, 'b'), "");
  members.emplace_back("\xC3\xA9t\xC3\xA9.jpg", "x");
  const auto file = bytes(written(members));
  REQUIRE(file.size() % 512 == 0);
  io::TarReader tar(file, "t");
  for (const auto& [name, payload] : members) {
    const auto read = tar.next();
    REQUIRE(read);
    REQUIRE(read->name == name);
    REQUIRE(read->regular());
    const auto view = tar.payload(*read);
    REQUIRE(view.text() == payload);
    REQUIRE(view.data() == file.data() + read->offset);
    REQUIRE(view.owner == file.owner);
  }
  REQUIRE(!tar.next());
}

TEST_CASE("An archive that is not finished leaves the old one", "[io]") {
  TemporaryFolder folder;
  write_text(folder / "a.tar", "old");
  {
    io::TarWriter writer(folder / "a.tar");
    writer.add("a", {});
    REQUIRE(writer.size() == 512);
    for (const std::string& name : {std::string(), std::string("d/"), std::string("a\0b", 3)})
      REQUIRE_THROWS_WITH(writer.add(name, {}), Contains("no name for a member"));
  }
  REQUIRE(read_text(folder / "a.tar") == "old");
  REQUIRE(folder.names().size() == 1);
}

TEST_CASE("Two zero blocks, one, or the end of the file end an archive", "[io]") {
  const std::string one = member("a", "payload");
  for (const std::string& end : {std::string(), std::string(512, '\0'), tar_end(), tar_end() + "junk", std::string(512, '\0') + "junk"})
    REQUIRE(list(one + end).size() == 1);
  REQUIRE(list("").empty());
  REQUIRE(list(tar_end()).empty());
}

TEST_CASE("A cut header or payload is an error, a cut padding is not", "[io]") {
  const std::string two = member("a", "12345") + member("b", std::string(600, 'x'));
  for (size_t cut = 1; cut < two.size(); ++cut) {
    CAPTURE(cut);
    const auto part = two.substr(0, cut);
    if (cut >= 512 + 5 && cut <= 1024) {
      REQUIRE(list(part).size() == 1);
    } else if (cut >= 1536 + 600) {
      REQUIRE(list(part).size() == 2);
    } else {
      const bool in_payload = (cut >= 512 && cut < 517) || cut >= 1536;
      REQUIRE_THROWS_WITH(list(part), Contains(in_payload ? "ends inside its payload" : "ends inside its header"));
      REQUIRE_THROWS_WITH(list(part), Contains(cut < 1024 ? "t: byte 0: member 0" : "t: byte 1024: member 1"));
    }
  }
}

TEST_CASE("The checksum guards every byte of a header", "[io]") {
  const std::string file = member("name", "") + tar_end();
  for (size_t at = 0; at < 512; ++at) {
    if (at >= 154 && at < 156) continue;  // the NUL and the space that end the checksum
    std::string damaged = file;
    damaged[at] = char(damaged[at] + 1);
    REQUIRE_THROWS_WITH(list(damaged), Contains("the checksum of its header is wrong"));
  }
  REQUIRE_THROWS_WITH(list(std::string(1024, 'x')), Contains("the checksum of its header is wrong"));
}

TEST_CASE("Types are told apart, and only regular members have sizes and payloads", "[io]") {
  const std::string size = octal(5), payload = padded("12345");
  for (char regular : {'0', '7', '\0'}) {
    const auto members = list(TarHeader{.size = size, .type = regular}.bytes() + payload + member("next", ""));
    REQUIRE(members.size() == 2);
    REQUIRE((members[0].type == '0' && members[0].size == 5 && members[0].offset == 512));
  }
  for (char other : {'1', '2', '3', '4', '5', '6'}) {
    const auto members = list(TarHeader{.size = size, .type = other}.bytes() + member("next", ""));
    REQUIRE(members.size() == 2);
    REQUIRE((members[0].type == other && members[0].size == 0 && members[0].offset == 512 && !members[0].regular()));
  }
  // A type that is unknown is passed over with its payload.
  const auto unknown = list(TarHeader{.size = size, .type = 'Q'}.bytes() + payload + member("next", ""));
  REQUIRE((unknown.size() == 2 && unknown[0].size == 0 && unknown[1].name == "next"));
  REQUIRE_THROWS_WITH(list(TarHeader{.size = size, .type = 'S'}.bytes() + payload), Contains("sparse"));
  // Directories lose the '/' at the end; before ustar they were told by it.
  REQUIRE(list(TarHeader{.name = "d/e/", .type = '5'}.bytes()).at(0).name == "d/e");
  const auto old = list(TarHeader{.name = "d/", .magic = std::string(6, '\0'), .type = '\0'}.bytes()).at(0);
  REQUIRE((old.name == "d" && old.type == '5'));
}

TEST_CASE("Names fill their fields without a NUL, and only ustar has a prefix", "[io]") {
  const std::string name(100, 'n'), prefix(155, 'p');
  REQUIRE(list(TarHeader{.name = name, .prefix = prefix}.bytes()).at(0).name == prefix + "/" + name);
  REQUIRE(list(TarHeader{.name = "n", .prefix = "p"}.bytes()).at(0).name == "p/n");
  REQUIRE(list(TarHeader{.name = "n", .magic = "ustar  ", .prefix = "p"}.bytes()).at(0).name == "n");
  REQUIRE(list(TarHeader{.name = "./a/../b"}.bytes()).at(0).name == "./a/../b");
}

TEST_CASE("GNU long names hold for the member after them", "[io]") {
  const std::string name(300, 'l');
  const auto members = list(member("././@LongLink", name + '\0', 'L') + member("././@LongLink", std::string(200, 'k') + '\0', 'K') +
                            member("cut", "1") + member("short", "2"));
  REQUIRE(members.size() == 2);
  REQUIRE((members[0].name == name && members[0].size == 1 && members[1].name == "short"));
  REQUIRE(list(member("L", "name without NUL", 'L') + member("x", "")).at(0).name == "name without NUL");
  REQUIRE_THROWS_WITH(list(member("L", name, 'L')), Contains("ends after the header of a long name"));
  REQUIRE_THROWS_WITH(list(member("L", name, 'L') + tar_end()), Contains("ends after the header of a long name"));
}

TEST_CASE("pax records override the header of the next member, global ones those of all", "[io]") {
  const std::string path = "11 path=xy\n", newlines = "14 path=a\nb\n\n\n";
  REQUIRE(list(pax(path) + member("a", "1") + member("b", "")).at(0).name == "xy");
  REQUIRE(list(pax(path) + member("a", "1") + member("b", "")).at(1).name == "b");
  REQUIRE(list(pax(newlines) + member("a", "")).at(0).name == "a\nb\n\n");
  REQUIRE(list(pax("18 mtime=123456.7\n23 SCHILY.xattr.a=b=\nc\n" + path) + member("a", "")).at(0).name == "xy");
  // A size that the header does not tell.
  const auto sized = list(pax("9 size=5\n") + TarHeader{}.bytes() + padded("12345") + member("next", ""));
  REQUIRE((sized.size() == 2 && sized[0].size == 5 && sized[1].name == "next"));
  const auto global = list(pax(path, 'g') + member("a", "") + pax("10 path=z\n") + member("b", "") + pax("8 path=\n") + member("c", "") +
                           member("d", "") + pax("10 path=w\n", 'g') + member("e", ""));
  REQUIRE(global.size() == 5);
  const std::string expected[] = {"xy", "z", "c", "xy", "w"};
  for (size_t i = 0; i < 5; ++i) REQUIRE(global[i].name == expected[i]);
  REQUIRE(list(pax(path, 'g')).empty());
  REQUIRE_THROWS_WITH(list(pax(path)), Contains("ends after the header of a long name"));
}

TEST_CASE("pax records of a wrong form are refused", "[io]") {
  for (const char* records : {"10 path=xy\n", "12 path=xy\n", "11 path=xy\n0", "path=xy\n", "0 path=xy\n", "-1 a=b\n", "2 \n",
                              "99999999999999999999 a=b\n", " 6 a=b\n", "11path=xy\n"})
    REQUIRE_THROWS_WITH(list(pax(records) + member("a", "")), Contains("pax record: its length is wrong"));
  REQUIRE_THROWS_WITH(list(pax("3 \n") + member("a", "")), Contains("no '='"));
  REQUIRE_THROWS_WITH(list(pax("6 abc\n") + member("a", "")), Contains("no '='"));
  for (const char* records : {"11 size=-1\n", "12 size=0x1\n", "11 size=1 \n", "29 size=99999999999999999999\n"})
    REQUIRE_THROWS_WITH(list(pax(records) + member("a", "")), Contains("is no size"));
  REQUIRE_THROWS_WITH(list(pax("22 GNU.sparse.major=1\n") + member("a", "")), Contains("sparse"));
  REQUIRE_THROWS_WITH(list(pax("11 size=99\n") + member("a", "")), Contains("t: byte 1024: member 0: the archive ends inside its payload"));
}

TEST_CASE("Numbers are octal or base-256, and never negative", "[io]") {
  const auto size = [](const std::string& field) {
    return list(TarHeader{.size = field}.bytes() + padded(std::string(10, 'x'))).at(0).size;
  };
  REQUIRE(size("00000000012") == 10);
  REQUIRE(size("000000000012") == 10);  // all twelve, without an end
  REQUIRE(size("         12 ") == 10);
  REQUIRE(size("12") == 10);
  REQUIRE(size(std::string("12\0garbage", 10)) == 10);
  for (const char* empty : {"", "            "}) REQUIRE(list(TarHeader{.size = empty}.bytes()).at(0).size == 0);
  REQUIRE(size("\x80" + std::string(10, '\0') + "\x0A") == 10);
  for (const std::string& field : {std::string("-0000000012"), std::string("0000000008"), std::string("12 4"), std::string("1x"),
                                   std::string(12, '\xFF'), "\x80" + std::string(11, '\xFF'), "\x81" + std::string(11, '\0')})
    REQUIRE_THROWS_WITH(size(field), Contains("is no size"));
  REQUIRE_THROWS_WITH(size("\x80" + std::string(3, '\0') + std::string(8, '\xFF')), Contains("ends inside its payload"));
  REQUIRE_THROWS_WITH(size("777777777777"), Contains("ends inside its payload"));
}

TEST_CASE("Payloads of more than 8 GiB have their size in a pax header", "[io]") {
  // A file of 9 GiB that takes a few blocks: all but the headers is a hole.
  constexpr uint64_t kHuge = (uint64_t(9) << 30) + 5;
  TemporaryFolder folder;
  const auto path = folder / "huge.tar";
  const std::string header = io::tar_header("huge", kHuge), next = member("next", "after");
  REQUIRE(header.size() == 1536);
  {
    std::ofstream file(path, std::ios::binary);
    file << header;
    file.seekp(int64_t(header.size() + (kHuge + 511) / 512 * 512));
    file << next;
  }
  const auto members = list(io::map_file(path));
  REQUIRE(members.size() == 2);
  REQUIRE((members[0].name == "huge" && members[0].size == kHuge && members[0].offset == 1536));
  REQUIRE((members[1].name == "next" && members[1].size == 5));
  // The largest that a header can say.
  REQUIRE(io::tar_header("large", (uint64_t(8) << 30) - 1).size() == 512);
  REQUIRE(io::tar_header("large", uint64_t(8) << 30).size() == 1536);
}

TEST_CASE("A long name that stands for many members is not copied without bound", "[io]") {
  const std::string name(1'000'000, 'g'), value = "path=" + name + "\n";
  std::string file = pax(fmt::format("{} {}", value.size() + 8, value), 'g');
  for (int i = 0; i < 200; ++i) file += member("a", "");
  REQUIRE_THROWS_WITH(list(file), Contains("more memory than twice its size"));
}
