#include <libzoo/core/error.h>
#include <libzoo/io/byte_reader.h>
#include <libzoo/io/pickle.h>
#include <libzoo/io/utf8.h>

#include <fmt/format.h>

#include <map>
#include <optional>

namespace zoo::io::pickle {
namespace {

constexpr size_t kMaxRank = 64;

struct NamedType {
  std::string_view name;
  DType dtype;
};
constexpr NamedType kStorages[] = {{"DoubleStorage", DType::f64},    {"FloatStorage", DType::f32}, {"HalfStorage", DType::f16},
                                   {"BFloat16Storage", DType::bf16}, {"LongStorage", DType::i64},  {"IntStorage", DType::i32},
                                   {"ShortStorage", DType::i16},     {"CharStorage", DType::i8},   {"ByteStorage", DType::u8},
                                   {"BoolStorage", DType::boolean}};
constexpr NamedType kDTypes[] = {{"float64", DType::f64},        {"float32", DType::f32},
                                 {"float16", DType::f16},        {"bfloat16", DType::bf16},
                                 {"int64", DType::i64},          {"int32", DType::i32},
                                 {"int16", DType::i16},          {"int8", DType::i8},
                                 {"uint64", DType::u64},         {"uint32", DType::u32},
                                 {"uint16", DType::u16},         {"uint8", DType::u8},
                                 {"bool", DType::boolean},       {"float8_e4m3fn", DType::f8_e4m3},
                                 {"float8_e5m2", DType::f8_e5m2}};
// What REDUCE may call, beside torch.Size.
constexpr std::string_view kOrderedDict = "collections OrderedDict", kTensorV2 = "torch._utils _rebuild_tensor_v2",
                           kTensorV3 = "torch._utils _rebuild_tensor_v3", kParameter = "torch._utils _rebuild_parameter",
                           kSize = "torch Size";

template <class Table>
std::optional<DType> lookup(const Table& table, std::string_view name) {
  for (const auto& entry : table) {
    if (entry.name == name) return entry.dtype;
  }
  return std::nullopt;
}

bool is_untyped(std::string_view global) { return global == "torch.storage UntypedStorage" || global == "torch UntypedStorage"; }

class Machine {
 public:
  Machine(std::span<const uint8_t> bytes, const std::string& where, MemoryBudget& budget)
      : in_(bytes, where), bytes_(bytes), budget_(budget) {}

  Values run() {
    if (in_.byte("the first opcode") != 0x80) in_.fail("a pickle begins with its protocol");
    protocol();
    while (step(in_.byte("an opcode"))) {
    }
    if (in_.left() > 0) in_.fail("bytes after the end of the pickle");
    return std::move(values_);
  }

 private:
  // One instruction; false after STOP.
  bool step(uint8_t opcode) {
    switch (opcode) {
      case 0x80: protocol(); break;
      case '(': budget_.spend(16, "a mark"), marks_.push_back(stack_.size()); break;
      case 'N': push({}); break;
      case 0x88: push(integer_node(1, Kind::boolean)); break;
      case 0x89: push(integer_node(0, Kind::boolean)); break;
      case 'J': push(integer_node(in_.little<int32_t>("an integer"))); break;
      case 'K': push(integer_node(in_.byte("an integer"))); break;
      case 'M': push(integer_node(in_.little<uint16_t>("an integer"))); break;
      case 0x8a: long_integer(in_.byte("an integer's length")); break;
      case 'G': real(in_.big<double>("a number")); break;
      case 'X': text(in_.little<uint32_t>("a string's length")); break;
      case 'U': text(in_.byte("a string's length")); break;
      case ')': push_children(Kind::tuple, {}); break;
      case ']': push_children(Kind::list, {}); break;
      case '}': push_children(Kind::dict, {}); break;
      case 't': push_children(Kind::tuple, pop_to_mark()); break;
      case 0x85: push_children(Kind::tuple, pop(1)); break;
      case 0x86: push_children(Kind::tuple, pop(2)); break;
      case 0x87: push_children(Kind::tuple, pop(3)); break;
      case 'a': append(pop(1)); break;
      case 'e': append(pop_to_mark()); break;
      case 's': set_items(pop(2)); break;
      case 'u': set_items(pop_to_mark()); break;
      case 'c': global(); break;
      case 'q': remember(in_.byte("a memo index")); break;
      case 'r': remember(in_.little<uint32_t>("a memo index")); break;
      case 'h': recall(in_.byte("a memo index")); break;
      case 'j': recall(in_.little<uint32_t>("a memo index")); break;
      case 'Q': persistent(pop(1)[0]); break;
      case 'R': reduce(); break;
      case 'b': build(); break;
      case '.': stop(); return false;
      default: in_.fail(fmt::format("pickle opcode {:#04x} is not one that tensors need; it is refused", opcode));
    }
    return true;
  }

  void protocol() {
    const int version = in_.byte("the protocol");
    if (version > 5) in_.fail(fmt::format("pickle protocol {} is unknown", version));
  }

  const Node& node(Ref ref) const { return values_.nodes[ref]; }

  void push_ref(Ref ref) {
    budget_.spend(2 * sizeof(Ref), "a value");
    stack_.push_back(ref);
  }

  void push(const Node& value) {
    budget_.spend(2 * sizeof(Node), "a value");
    if (values_.nodes.size() == UINT32_MAX) in_.fail("the pickle holds too many values");
    values_.nodes.push_back(value);
    push_ref(Ref(values_.nodes.size() - 1));
  }

  static Node integer_node(int64_t value, Kind kind = Kind::integer) {
    Node n;
    n.kind = kind;
    n.integer = value;
    return n;
  }

  void push_children(Kind kind, std::vector<Ref> children) {
    budget_.spend(2 * sizeof(children) + 32, "a list");
    values_.children.push_back(std::move(children));
    push(integer_node(int64_t(values_.children.size() - 1), kind));
  }

  size_t bottom() const { return marks_.empty() ? 0 : marks_.back(); }

  std::vector<Ref> pop(size_t n) {
    if (stack_.size() - bottom() < n) in_.fail("the pickle takes more from its stack than it put there");
    std::vector<Ref> refs(stack_.end() - int64_t(n), stack_.end());
    stack_.resize(stack_.size() - n);
    return refs;
  }

  std::vector<Ref> pop_to_mark() {
    if (marks_.empty()) in_.fail("the pickle uses a mark it did not set");
    const size_t n = stack_.size() - marks_.back();
    budget_.spend(n * sizeof(Ref), "a list");
    auto refs = pop(n);
    marks_.pop_back();
    return refs;
  }

  Ref top() {
    if (stack_.size() == bottom()) in_.fail("the pickle takes more from its stack than it put there");
    return stack_.back();
  }

  std::vector<Ref>& open(Kind kind, std::string_view what) {
    const Node& target = node(top());
    if (target.kind != kind) in_.fail(fmt::format("{} a value that is none", what));
    return values_.children[target.children];
  }

  void append(const std::vector<Ref>& refs) {
    auto& list = open(Kind::list, "the pickle appends to a list");
    budget_.spend(2 * refs.size() * sizeof(Ref), "a list");
    list.insert(list.end(), refs.begin(), refs.end());
  }

  void set_items(const std::vector<Ref>& refs) {
    auto& dict = open(Kind::dict, "the pickle sets an item of a dict");
    if (refs.size() % 2 != 0) in_.fail("a key without a value");
    budget_.spend(2 * refs.size() * sizeof(Ref), "a dict");
    dict.insert(dict.end(), refs.begin(), refs.end());
  }

  void long_integer(size_t size) {
    const auto bytes = in_.take(size, "an integer");
    if (size > 9 || (size == 9 && bytes[8] != 0)) {
      Node n;
      n.kind = Kind::big_integer;
      n.text = {reinterpret_cast<const char*>(bytes.data()), size};
      return push(n);
    }
    uint64_t value = size > 0 && bytes[size - 1] >= 0x80 ? ~uint64_t(0) : 0;
    std::memcpy(&value, bytes.data(), std::min<size_t>(size, 8));
    push(integer_node(int64_t(value), size == 9 && value >> 63 ? Kind::unsigned_integer : Kind::integer));
  }

  void real(double value) {
    Node n;
    n.kind = Kind::real;
    n.real = value;
    push(n);
  }

  void text(uint64_t size) {
    Node n;
    n.kind = Kind::text;
    n.text = in_.text(size, "a string");
    if (!is_utf8(n.text)) in_.fail("a string is not UTF-8");
    push(n);
  }

  void remember(uint32_t index) {
    const Ref ref = top();
    if (memo_.insert_or_assign(index, ref).second) budget_.spend(64, "a memo");
  }

  void recall(uint32_t index) {
    auto found = memo_.find(index);
    if (found == memo_.end()) in_.fail(fmt::format("memo {} was never stored", index));
    push_ref(found->second);
  }

  std::string_view line() {
    const size_t begin = in_.position();
    while (in_.byte("a name") != '\n') {
      if (in_.position() - begin > 256) in_.fail("a name is longer than 256 bytes");
    }
    return {reinterpret_cast<const char*>(bytes_.data()) + begin, in_.position() - 1 - begin};
  }

  // The only place where a name enters; the node's text keeps both lines.
  void global() {
    const std::string_view module = line(), name = line();
    const std::string full = fmt::format("{} {}", module, name);
    Node n;
    n.kind = Kind::global;
    n.text = {module.data(), module.size() + 1 + name.size()};
    if (full == kOrderedDict || full == kTensorV2 || full == kTensorV3 || full == kParameter || full == kSize || is_untyped(full) ||
        (module == "torch" && lookup(kStorages, name))) {
      return push(n);
    }
    if (const auto dtype = lookup(kDTypes, name); dtype && module == "torch") return push(integer_node(int64_t(*dtype), Kind::dtype));
    const bool readable = is_utf8(full);
    refuse(in_.where(), in_.position(),
           fmt::format("the pickle asks for {}.{}, which is not needed for tensors; it is refused and nothing was run",
                       readable ? module : "?", readable ? name : "?"),
           "only tensors and plain values are read; in Python, save model.state_dict() instead of objects");
  }

  std::string global_name(const Node& n) const {
    std::string name(n.text);
    name[name.find('\n')] = ' ';
    return name;
  }

  int64_t integer(Ref ref, std::string_view what) const {
    const Node& n = node(ref);
    if (n.kind != Kind::integer || n.integer < 0) in_.fail(fmt::format("{} must be a whole number, 0 or more", what));
    return n.integer;
  }

  const std::vector<Ref>& tuple(Ref ref, std::string_view what) const {
    if (node(ref).kind != Kind::tuple) in_.fail(fmt::format("{} must be a tuple", what));
    return values_.children_of(node(ref));
  }

  std::vector<int64_t> sizes(Ref ref, std::string_view what) {
    const auto& items = tuple(ref, what);
    if (items.size() > kMaxRank) in_.fail(fmt::format("a tensor has more than {} dimensions", kMaxRank));
    budget_.spend(8 * items.size(), "a shape");
    std::vector<int64_t> result;
    for (Ref item : items) result.push_back(integer(item, what));
    return result;
  }

  // ('storage', type, key, device, number of items)
  void persistent(Ref ref) {
    const auto& id = tuple(ref, "a persistent id");
    const bool known = id.size() == 5 && node(id[0]).kind == Kind::text && node(id[0]).text == "storage" &&
                       node(id[1]).kind == Kind::global && node(id[2]).kind == Kind::text && node(id[3]).kind == Kind::text;
    if (!known) in_.fail("a persistent id must be ('storage', type, key, device, number of items)");
    Storage storage;
    const std::string type = global_name(node(id[1]));
    storage.untyped = is_untyped(type);
    if (storage.untyped) {
      storage.dtype = DType::u8;
    } else {
      const auto dtype = lookup(kStorages, std::string_view(type).substr(type.find(' ') + 1));
      if (!dtype) in_.fail(fmt::format("{} is no storage", type));
      storage.dtype = *dtype;
    }
    storage.key = node(id[2]).text;
    storage.items = integer(id[4], "a storage's size");
    budget_.spend(2 * sizeof(Storage), "a storage");
    values_.storages.push_back(storage);
    push(integer_node(int64_t(values_.storages.size() - 1), Kind::storage));
  }

  void reduce() {
    const auto call = pop(2);
    if (node(call[0]).kind != Kind::global) in_.fail("the pickle calls what is no function");
    const std::string name = global_name(node(call[0]));
    const std::vector<Ref> arguments = tuple(call[1], "the arguments of a call");
    if (name == kOrderedDict && arguments.empty()) return push_children(Kind::dict, {});
    if (name == kSize && arguments.size() == 1 && node(arguments[0]).kind == Kind::tuple) return push_ref(arguments[0]);
    if (name == kParameter && arguments.size() == 3 && node(arguments[0]).kind == Kind::tensor) return push_ref(arguments[0]);
    if (name == kTensorV2 && (arguments.size() == 6 || arguments.size() == 7)) return tensor(arguments, false);
    if (name == kTensorV3 && (arguments.size() == 7 || arguments.size() == 8)) return tensor(arguments, true);
    in_.fail(fmt::format("the pickle calls {} with arguments that it does not take", name));
  }

  // (storage, offset, size, stride, requires_grad, backward_hooks[, dtype][, metadata])
  void tensor(const std::vector<Ref>& arguments, bool with_dtype) {
    if (node(arguments[0]).kind != Kind::storage) in_.fail("a tensor without a storage");
    const Storage& storage = values_.storages[size_t(node(arguments[0]).integer)];
    budget_.spend(2 * sizeof(Tensor), "a tensor");
    Tensor tensor;
    tensor.storage = arguments[0];
    tensor.offset = integer(arguments[1], "a tensor's offset");
    tensor.shape = sizes(arguments[2], "a tensor's size");
    tensor.strides = sizes(arguments[3], "a tensor's stride");
    tensor.dtype = storage.dtype;
    if (tensor.shape.size() != tensor.strides.size()) in_.fail("a tensor's size and stride have different lengths");
    if (with_dtype != storage.untyped) in_.fail("a tensor's storage must be untyped if, and only if, the tensor names a type");
    if (with_dtype) {
      if (node(arguments[6]).kind != Kind::dtype) in_.fail("a tensor's type must be a torch.dtype");
      tensor.dtype = DType(node(arguments[6]).integer);
    }
    values_.tensors.push_back(std::move(tensor));
    push(integer_node(int64_t(values_.tensors.size() - 1), Kind::tensor));
  }

  // Attributes of an object: nn.Module leaves _metadata on its state dict. They are not needed.
  void build() {
    const Ref state = pop(1)[0];
    if (node(top()).kind != Kind::dict || node(state).kind != Kind::dict) in_.fail("the pickle sets attributes of what is no OrderedDict");
  }

  void stop() {
    if (stack_.size() != 1 || !marks_.empty()) in_.fail("the pickle ends with an unbalanced stack");
    values_.root = stack_[0];
  }

  ByteReader in_;
  std::span<const uint8_t> bytes_;
  MemoryBudget& budget_;
  Values values_;
  std::vector<Ref> stack_;
  std::vector<size_t> marks_;
  std::map<uint32_t, Ref> memo_;
};

}  // namespace

Values parse(std::span<const uint8_t> bytes, const std::string& where, MemoryBudget& budget) { return Machine(bytes, where, budget).run(); }

}  // namespace zoo::io::pickle
