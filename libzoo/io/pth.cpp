#include <libzoo/core/error.h>
#include <libzoo/io/array_view.h>
#include <libzoo/io/byte_reader.h>
#include <libzoo/io/pickle.h>
#include <libzoo/io/pth.h>
#include <libzoo/io/zip.h>

#include <fmt/format.h>

#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace zoo::io {
namespace {

using pickle::Kind;
using pickle::Node;
using pickle::Ref;

constexpr int kMaxDepth = 64;
constexpr uint64_t kVisit = 96;  // bytes of budget for each value that is visited: shared values are visited once for each use

class Flattener {
 public:
  Flattener(const pickle::Values& values, ZipReader& zip, std::string root, std::string where)
      : values_(values), zip_(zip), root_(std::move(root)), where_(std::move(where)) {
    if (const ZipEntry* order = zip_.find(root_ + "byteorder")) {
      const auto text = zip_.read(*order);
      if (text.text() != "little" && text.text() != "big") fail("byteorder must be 'little' or 'big'");
      big_endian_ = text.text() == "big";
    }
  }

  Checkpoint run(const PthOptions& options) {
    Ref start = values_.root;
    if (!options.key.empty())
      start = member(start, options.key);
    else if (options.find_state_dict)
      start = find_state_dict(start);
    prefix_ = options.strip_prefix;
    visit(start, "", 0);
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const std::string& message, const std::string& hint = {}) const {
    throw UserError(fmt::format("{}: {}", where_, message), hint);
  }

  const Node& node(Ref ref) const { return values_.nodes[ref]; }

  std::string key_text(Ref ref) const {
    const Node& key = node(ref);
    if (key.kind == Kind::text) return std::string(key.text);
    if (key.kind == Kind::integer) return std::to_string(key.integer);
    if (key.kind == Kind::boolean) return key.integer ? "True" : "False";
    fail("a dict has a key that is neither text nor a number");
  }

  std::optional<Ref> find(Ref dict, std::string_view key) const {
    if (node(dict).kind != Kind::dict) return std::nullopt;
    const auto& items = values_.children_of(node(dict));
    std::optional<Ref> found;
    for (size_t i = 0; i < items.size(); i += 2) {
      if (node(items[i]).kind == Kind::text && node(items[i]).text == key) found = items[i + 1];
    }
    return found;
  }

  Ref member(Ref dict, const std::string& key) const {
    if (auto found = find(dict, key)) return *found;
    std::string keys;
    if (node(dict).kind == Kind::dict) {
      const auto& items = values_.children_of(node(dict));
      for (size_t i = 0; i < std::min<size_t>(items.size(), 40); i += 2) keys += (i ? ", " : "") + key_text(items[i]);
    }
    fail(fmt::format("no key '{}' at the top", key), keys.empty() ? "" : "the keys are " + keys);
  }

  Ref find_state_dict(Ref top) const {
    if (node(top).kind != Kind::dict) return top;
    const auto& items = values_.children_of(node(top));
    for (size_t i = 0; i < items.size(); i += 2) {
      if (node(items[i + 1]).kind == Kind::tensor) return top;
    }
    for (std::string_view key : {"state_dict", "model"}) {
      if (auto found = find(top, key); found && node(*found).kind == Kind::dict) return *found;
    }
    return top;
  }

  void count_visit(int depth) {
    if (depth > kMaxDepth) fail(fmt::format("values nested deeper than {}", kMaxDepth));
    zip_.budget().spend(kVisit, "a value");
  }

  static std::string join(const std::string& name, const std::string& key) { return name.empty() ? key : name + "." + key; }

  void visit(Ref ref, const std::string& name, int depth) {
    count_visit(depth);
    const Node& n = node(ref);
    if (n.kind == Kind::tensor) {
      add(name.empty() ? "tensor" : name, n);
    } else if (n.kind == Kind::dict) {
      visit_dict(n, name, depth);
    } else if ((n.kind == Kind::list || n.kind == Kind::tuple) && holds_tensor(ref, depth)) {
      const auto& items = values_.children_of(n);
      for (size_t i = 0; i < items.size(); ++i) visit(items[i], join(name, std::to_string(i)), depth + 1);
    } else {
      add_value(name.empty() ? "value" : name, json(ref, depth));
    }
  }

  // As in Python, a key that is set again keeps its place and takes the last value.
  void visit_dict(const Node& n, const std::string& name, int depth) {
    const auto& items = values_.children_of(n);
    std::unordered_map<std::string, size_t> last;
    std::vector<std::pair<std::string, Ref>> unique;
    for (size_t i = 0; i < items.size(); i += 2) {
      std::string key = key_text(items[i]);
      zip_.budget().spend(kVisit + 4 * key.size(), "a key");
      auto [place, added] = last.emplace(key, unique.size());
      if (added)
        unique.emplace_back(std::move(key), items[i + 1]);
      else
        unique[place->second].second = items[i + 1];
    }
    for (const auto& [key, value] : unique) {
      zip_.budget().spend(name.size() + key.size(), "a name");
      visit(value, join(name, key), depth + 1);
    }
  }

  bool holds_tensor(Ref ref, int depth) {
    count_visit(depth);
    const Node& n = node(ref);
    if (n.kind == Kind::tensor || n.kind == Kind::dict) return true;
    if (n.kind != Kind::list && n.kind != Kind::tuple) return false;
    for (Ref item : values_.children_of(n)) {
      if (holds_tensor(item, depth + 1)) return true;
    }
    return false;
  }

  Json json(Ref ref, int depth) {
    count_visit(depth);
    const Node& n = node(ref);
    switch (n.kind) {
      case Kind::boolean: return n.integer != 0;
      case Kind::integer: return n.integer;
      case Kind::unsigned_integer: return uint64_t(n.integer);
      case Kind::real: return n.real;
      case Kind::text: zip_.budget().spend(2 * n.text.size(), "a text"); return std::string(n.text);
      case Kind::big_integer: {
        zip_.budget().spend(4 * n.text.size(), "a number");
        std::string digits = "0x";
        for (size_t i = n.text.size(); i-- > 0;) digits += fmt::format("{:02x}", uint8_t(n.text[i]));
        return digits;
      }
      case Kind::list:
      case Kind::tuple: {
        Json list = Json::array();
        for (Ref item : values_.children_of(n)) list.push_back(json(item, depth + 1));
        return list;
      }
      case Kind::dtype: return "torch." + std::string(zoo::name(DType(n.integer)));
      default: return nullptr;
    }
  }

  void add_value(const std::string& name, Json value) {
    zip_.budget().spend(256 + 4 * name.size(), "a value");
    if (!value_names_.insert(name).second) fail(fmt::format("two values are named '{}'", name));
    // Json's own operator[] looks through all keys each time.
    using Members = std::vector<std::pair<const std::string, Json>>;
    static_cast<Members&>(result_.values.get_ref<Json::object_t&>()).emplace_back(name, std::move(value));
  }

  const Bytes& storage_bytes(const pickle::Storage& storage) {
    const std::string key(storage.key);
    auto found = storages_.find(key);
    if (found == storages_.end()) {
      zip_.budget().spend(256 + 2 * key.size(), "a storage");
      const ZipEntry* entry = zip_.find(fmt::format("{}data/{}", root_, key));
      if (!entry) fail(fmt::format("the archive has no member {}data/{}", root_, key), "the file is cut or was put together by hand");
      found = storages_.emplace(key, zip_.read(*entry)).first;
    }
    const size_t item = item_size(storage.dtype);
    if (uint64_t(storage.items) > found->second.size() / item) {
      fail(fmt::format("storage {} claims {} items of {}, its member holds {} bytes", key, storage.items, zoo::name(storage.dtype),
                       found->second.size()));
    }
    return found->second;
  }

  void add(const std::string& full_name, const Node& n) {
    const pickle::Tensor& tensor = values_.tensors[size_t(n.integer)];
    const pickle::Storage& storage = values_.storages[size_t(node(tensor.storage).integer)];
    const std::string name = !prefix_.empty() && full_name.starts_with(prefix_) ? full_name.substr(prefix_.size()) : full_name;
    const Bytes& bytes = storage_bytes(storage);
    const size_t item = item_size(tensor.dtype);
    const int64_t available = storage.items / int64_t(storage.untyped ? item : 1);
    int64_t items = 0;
    try {
      items = count(tensor.shape, item);
    } catch (const Error& error) {
      fail(fmt::format("tensor '{}': {}", name, error.what()));
    }
    int64_t end = tensor.offset;  // index of the last item
    bool inside = items == 0 || tensor.offset < available;
    for (size_t axis = 0; inside && items > 0 && axis < tensor.shape.size(); ++axis) {
      int64_t reach;
      inside = !__builtin_mul_overflow(tensor.shape[axis] - 1, tensor.strides[axis], &reach) && !__builtin_add_overflow(end, reach, &end) &&
               end < available;
    }
    if (!inside) fail(fmt::format("tensor '{}' reaches beyond its storage of {} items", name, available));

    zip_.budget().spend(512 + 4 * name.size(), "a tensor");
    const auto used =
        items == 0 ? std::span<const uint8_t>() : bytes.view.subspan(size_t(tensor.offset) * item, size_t(end - tensor.offset + 1) * item);
    Array array = make_strided_array(tensor.dtype, tensor.shape, tensor.strides, used, bytes.owner, zip_.budget(), big_endian_);
    if (!result_.tensors.emplace(name, std::move(array)).second) fail(fmt::format("two tensors are named '{}'", name));
    result_.order.push_back(name);
  }

  const pickle::Values& values_;
  ZipReader& zip_;
  std::string root_, where_, prefix_;
  bool big_endian_ = false;
  std::unordered_map<std::string, Bytes> storages_;
  std::unordered_set<std::string> value_names_;
  Checkpoint result_;
};

void refuse_other_formats(const Bytes& file, const std::string& where) {
  if (is_zip(file.view)) return;
  const bool pickle = file.size() >= 2 && file.view[0] == 0x80 && file.view[1] <= 5;
  const bool tar = file.size() > 262 && file.text().substr(257, 5) == "ustar";
  if (pickle || tar) {
    throw UserError(fmt::format("{}: the old form of torch.save (before torch 1.6), which is not read", where),
                    "in Python: torch.save(torch.load(path, weights_only=True), path)");
  }
  throw UserError(fmt::format("{}: no .pth file: it is no zip archive", where));
}

// The folder that everything in the archive lies in, with a slash.
std::string find_root(const ZipReader& zip, const std::string& where) {
  constexpr std::string_view name = "data.pkl";
  std::optional<std::string> root;
  for (const auto& entry : zip.entries()) {
    const std::string_view path = entry.name;
    if (!path.ends_with(name)) continue;
    const std::string_view folder = path.substr(0, path.size() - name.size());
    if (!folder.empty() && folder.find('/') != folder.size() - 1) continue;
    if (root) throw UserError(fmt::format("{}: the archive holds more than one data.pkl", where));
    root = folder;
  }
  if (!root) throw UserError(fmt::format("{}: no .pth file: the archive holds no data.pkl", where));
  if (zip.find(*root + "constants.pkl")) {
    throw UserError(fmt::format("{}: a TorchScript program, not a file of weights", where),
                    "in Python: torch.save(torch.jit.load(path).state_dict(), out)");
  }
  return *root;
}

}  // namespace

Checkpoint read_pth(const Bytes& file, const std::string& where, const PthOptions& options) {
  refuse_other_formats(file, where);
  ZipReader zip(file, where);
  const std::string root = find_root(zip, where);
  const Bytes program = zip.read(*zip.find(root + "data.pkl"));
  const auto values = pickle::parse(program.view, fmt::format("{}: {}data.pkl", where, root), zip.budget());
  return Flattener(values, zip, root, where).run(options);
}

}  // namespace zoo::io
