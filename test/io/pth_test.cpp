#include "test/catch.h"
#include "test/io/arrays.h"
#include "test/io/files.h"

#include <libzoo/core/error.h>
#include <libzoo/io/pth.h>
#include <libzoo/io/zip.h>

using namespace zoo;
using namespace zoo::test;

namespace {

// An archive as torch.save lays it out around a pickle, with a storage "0" of 24 bytes.
std::string pth(const std::string& pickle, const std::string& storage = std::string(24, '\1'), const std::string& byteorder = "little") {
  std::string result;
  io::ZipWriter zip([&](std::span<const uint8_t> b) { result.append(reinterpret_cast<const char*>(b.data()), b.size()); });
  zip.add("m/data.pkl", pickle);
  zip.add("m/byteorder", byteorder);
  zip.add("m/data/0", storage);
  zip.finish();
  return result;
}

io::Checkpoint read(const std::string& file, const io::PthOptions& options = {}) { return io::read_pth(bytes(file), "t.pth", options); }

std::string text(const std::string& s) { return "X" + raw(uint32_t(s.size())) + s; }
std::string global(const std::string& module, const std::string& name) { return "c" + module + "\n" + name + "\n"; }
std::string number(int32_t n) { return "J" + raw(n); }
std::string tuple(std::vector<int32_t> numbers) {
  std::string result = "(";
  for (auto n : numbers) result += number(n);
  return result + "t";
}
std::string program(const std::string& body) { return "\x80\x02" + body + "."; }
std::string dict(const std::string& items) { return "}(" + items + "u"; }

std::string storage(const std::string& type = "FloatStorage", int32_t items = 6, const std::string& key = "0") {
  return "(" + text("storage") + global("torch", type) + text(key) + text("cpu") + number(items) + "tQ";
}

std::string tensor(int32_t offset, std::vector<int32_t> size, std::vector<int32_t> stride, const std::string& of = storage()) {
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + of + number(offset) + tuple(size) + tuple(stride) + "\x89" +
         global("collections", "OrderedDict") + ")RtR";
}

std::string floats(int n) {
  std::string s;
  for (int i = 0; i < n; ++i) s += raw(float(i));
  return s;
}

std::vector<float> values(const Array& a) { return {a.span<float>().begin(), a.span<float>().end()}; }

}  // namespace

TEST_CASE("Every type survives a round trip through .pth in the order given", "[io]") {
  TemporaryFolder folder;
  const Arrays arrays = arrays_of_every_type();
  std::vector<std::string> order;
  for (const auto& [name, array] : arrays) order.insert(order.begin(), name);
  io::write_pth(folder / "t.pth", arrays, order);
  const auto checkpoint = io::read_pth(io::map_file(folder / "t.pth"), "t.pth");
  REQUIRE(same(checkpoint.tensors, arrays));
  REQUIRE(checkpoint.order == order);
  REQUIRE_THROWS_WITH(io::write_pth(folder / "t.pth", arrays, {"scalar"}), Contains("must name every tensor once"));
}

TEST_CASE("Strides, offsets and shared storages of .pth give contiguous arrays", "[io]") {
  const auto c =
      read(pth(program(dict(text("transposed") + tensor(0, {3, 2}, {1, 3}) + text("row") + tensor(3, {3}, {1}) + text("expanded") +
                            tensor(5, {2, 2}, {0, 0}) + text("scalar") + tensor(4, {}, {}) + text("none") + tensor(6, {0, 2}, {2, 1}))),
               floats(6)));
  REQUIRE(values(c.tensors.at("transposed")) == std::vector<float>{0, 3, 1, 4, 2, 5});
  REQUIRE(values(c.tensors.at("row")) == std::vector<float>{3, 4, 5});
  REQUIRE(values(c.tensors.at("expanded")) == std::vector<float>{5, 5, 5, 5});
  REQUIRE(values(c.tensors.at("scalar")) == std::vector<float>{4});
  REQUIRE(c.tensors.at("none").shape() == std::vector<int64_t>{0, 2});
}

TEST_CASE("Plain values beside the tensors of a .pth come as JSON, nested dicts as dotted names", "[io]") {
  const std::string real = "G" + std::string("\x3f\xf8\0\0\0\0\0\0", 8);  // 1.5, big-endian
  const std::string seed = "\x8a\x09" + std::string(8, '\xff') + std::string(1, '\0');  // 2^64 - 1
  const std::string model = dict(text("w") + tensor(0, {6}, {1}) + "K\x05" + tensor(0, {1}, {1}));
  const std::string pair = tensor(0, {1}, {1}) + tensor(1, {1}, {1}) + "\x86";
  const auto c = read(pth(program(dict(text("epoch") + "K\x07" + text("best") + real + text("done") + "\x88" + text("note") +
                                       text("\xC3\xA9") + text("nothing") + "N" + text("list") + "](K\x01" + text("a") + "e" +
                                       text("seed") + seed + text("model") + model + text("pair") + pair)),
                          floats(6)));
  REQUIRE(c.values ==
          Json::parse(
              R"({"epoch": 7, "best": 1.5, "done": true, "note": "é", "nothing": null, "list": [1, "a"], "seed": 18446744073709551615})"));
  REQUIRE(c.order == std::vector<std::string>{"model.w", "model.5", "pair.0", "pair.1"});
}

TEST_CASE("A dict of a .pth is chosen by its key and a prefix is stripped", "[io]") {
  const std::string file = pth(program(
      dict(text("epoch") + "K\x07" + text("model") + dict(text("module.w") + tensor(0, {6}, {1}) + text("b") + tensor(0, {1}, {1})))));
  REQUIRE(read(file, {.key = "model", .strip_prefix = "module."}).order == std::vector<std::string>{"w", "b"});
  REQUIRE(read(file, {.find_state_dict = true}).order == std::vector<std::string>{"module.w", "b"});
  REQUIRE(read(file).order == std::vector<std::string>{"model.module.w", "model.b"});
  REQUIRE_THROWS_WITH(read(file, {.key = "ema"}), Contains("no key 'ema'"));
  const std::string clash = pth(program(dict(text("module.w") + tensor(0, {1}, {1}) + text("w") + tensor(0, {1}, {1}))));
  REQUIRE_THROWS_WITH(read(clash, {.strip_prefix = "module."}), Contains("two tensors are named 'w'"));
}

TEST_CASE("The last of two equal keys counts, in the first one's place", "[io]") {
  const auto c = read(
      pth(program(dict(text("a") + tensor(0, {1}, {1}) + text("b") + tensor(0, {1}, {1}) + text("a") + tensor(5, {1}, {1}))), floats(6)));
  REQUIRE(c.order == std::vector<std::string>{"a", "b"});
  REQUIRE(values(c.tensors.at("a")) == std::vector<float>{5});
}

TEST_CASE("Storages of a big-endian machine are swapped", "[io]") {
  const auto c =
      read(pth(program(dict(text("a") + tensor(0, {2}, {1}, storage("ShortStorage", 2)))), std::string("\x01\x02\x03\x04"), "big"));
  REQUIRE(c.tensors.at("a").span<int16_t>()[1] == 0x0304);
}

TEST_CASE("Names that are not needed for tensors are refused, and nothing runs", "[io]") {
  TemporaryFolder folder;
  const std::string command = "touch " + (folder / "ran").string();
  for (const char* target : {"posix system", "os system", "builtins eval", "builtins getattr", "torch load", "torch.hub load",
                             "subprocess Popen", "numpy.core.multiarray _reconstruct"}) {
    const std::string name(target), module = name.substr(0, name.find(' ')), function = name.substr(name.find(' ') + 1);
    const std::string file = pth(program(global(module, function) + text(command) + "\x85R"));
    REQUIRE_THROWS_AS(read(file), UserError);
    REQUIRE_THROWS_WITH(read(file), Contains("asks for " + module + "." + function) && Contains("nothing was run"));
  }
  REQUIRE(folder.names().empty());
}

TEST_CASE("Damaged and hostile pickles are refused", "[io]") {
  struct Bad {
    const char* why;
    std::string file;
    const char* message;
  };
  const std::string a = text("a");
  const auto one = [&](const std::string& value) { return pth(program(dict(a + value))); };
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += "(";
  std::string nested = "}";
  for (int i = 0; i < 70; ++i) nested = "}" + a + nested + "s";
  const Bad cases[] = {
      {"no archive", "hello", "no zip archive"},
      {"the old form", "\x80\x02\x8a\x0a" + std::string(20, 'x'), "old form"},
      {"no pickle inside",
       [] {
         std::string z;
         io::ZipWriter w([&](std::span<const uint8_t> b) { z.append(b.begin(), b.end()); });
         w.add("x", "y");
         w.finish();
         return z;
       }(),
       "no data.pkl"},
      {"empty", pth(""), "the first opcode"},
      {"no protocol", pth("}."), "begins with its protocol"},
      {"no stop", pth("\x80\x02}"), "an opcode takes 1 bytes, 0 are left"},
      {"bytes after stop", pth(program("}") + "x"), "bytes after the end"},
      {"unknown opcode", pth(program("i")), "opcode 0x69"},
      {"stack underflow", pth(program("t")), "mark it did not set"},
      {"nothing to pop", pth(program("\x85")), "takes more from its stack"},
      {"pop below a mark", pth(program("N(\x85")), "takes more from its stack"},
      {"open mark", pth(program("(N")), "unbalanced"},
      {"two values", pth(program("NN")), "unbalanced"},
      {"append to a dict", pth(program("}Na")), "appends to a list"},
      {"set an item of a list", pth(program("]NNs")), "sets an item of a dict"},
      {"odd items", pth(program("}(Nu")), "a key without a value"},
      {"unknown memo", pth(program("h\x05")), "memo 5 was never stored"},
      {"calling a text", pth(program(a + ")R")), "calls what is no function"},
      {"wrong arguments", pth(program(global("torch._utils", "_rebuild_tensor_v2") + ")R")), "arguments that it does not take"},
      {"text length", pth(program("X" + raw<uint32_t>(0xFFFFFFFF))), "a string takes 4294967295 bytes"},
      {"bad text", pth(program(text("\xFF"))), "not UTF-8"},
      {"attributes of a list", pth(program("]}b")), "no OrderedDict"},
      {"persistent id", pth(program("NQ")), "must be a tuple"},
      {"unknown storage type", one(tensor(0, {1}, {1}, storage("ComplexFloatStorage"))), "torch.ComplexFloatStorage"},
      {"missing member", one(tensor(0, {1}, {1}, storage("FloatStorage", 6, "1"))), "no member m/data/1"},
      {"member shorter than claimed", one(tensor(0, {1}, {1}, storage("FloatStorage", 7))), "claims 7 items"},
      {"size beyond the storage", one(tensor(0, {7}, {1})), "reaches beyond its storage of 6"},
      {"offset beyond the storage", one(tensor(6, {1}, {1})), "reaches beyond"},
      {"offset of a scalar", one(tensor(6, {}, {})), "reaches beyond"},
      {"stride beyond the storage", one(tensor(0, {2}, {6})), "reaches beyond"},
      {"strides that wrap around", one(tensor(0, {2147483647, 2147483647}, {2147483647, 2147483647})), "too large"},
      {"negative stride", one(tensor(5, {2}, {-1})), "stride must be a whole number"},
      {"negative offset", one(tensor(-1, {2}, {1})), "offset must be a whole number"},
      {"negative size", one(tensor(0, {-2}, {1})), "size must be a whole number"},
      {"ranks differ", one(tensor(0, {2}, {1, 1})), "different lengths"},
      {"expanded without end", one(tensor(0, {2147483647}, {0})), "more memory than twice its size"},
      {"nested too deep", pth(program(nested)), "nested deeper than 64"},
      {"many marks", pth(program(deep)), "unbalanced"},
      {"byteorder", pth(program("}"), "", "middle"), "byteorder"},
  };
  for (const auto& bad : cases) {
    INFO(bad.why);
    REQUIRE_THROWS_AS(read(bad.file), UserError);
    REQUIRE_THROWS_WITH(read(bad.file), Contains(bad.message) && Contains("t.pth"));
  }
}

TEST_CASE("Pickles that refer to themselves or multiply end with an error", "[io]") {
  // d = {}; d["a"] = d
  REQUIRE_THROWS_WITH(read(pth(program("}q" + std::string(1, '\0') + text("a") + "h" + std::string(1, '\0') + "s"))),
                      Contains("nested deeper"));
  // Thirty dicts, each holding the one before under two keys: 2^30 values. The first stands at the bottom of a tuple, where
  // memos keep the others within reach.
  std::string doubling = "(}q" + std::string(1, '\0');
  for (char i = 1; i <= 30; ++i) {
    const std::string before = "h" + std::string(1, char(i - 1));
    doubling += "}q" + std::string(1, i) + "(" + text("a") + before + text("b") + before + "u";
  }
  REQUIRE_THROWS_WITH(read(pth(program(doubling + "t"))), Contains("more memory than twice its size"));
}
