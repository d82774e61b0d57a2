// Debian's libgloo-dev has the headers of Gloo that LibTorch's own include; Gloo itself lies inside LibTorch.
#define USE_C10D_GLOO
#include <libzoo/dist/engine.h>

#include <libzoo/core/error.h>

#include <torch/csrc/distributed/c10d/HashStore.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <ATen/ATen.h>

#include <fmt/format.h>

#include <cstdlib>
#include <future>

namespace zoo::dist {
namespace {

using Processes = c10::intrusive_ptr<c10d::ProcessGroup>;

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::shared_ptr<::gloo::transport::Device> network(const std::string& address) {
  const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
  if (interface && *interface) return c10d::ProcessGroupGloo::createDeviceForInterface(interface);
  if (address == "localhost" || address == "::1" || address.starts_with("127."))
    return c10d::ProcessGroupGloo::createDeviceForHostname("127.0.0.1");
  return c10d::ProcessGroupGloo::createDefaultDevice();
}

Processes processes_of(const c10::intrusive_ptr<c10d::Store>& store, int rank, int size, const std::string& address,
                       std::chrono::milliseconds timeout) {
  auto options = c10d::ProcessGroupGloo::Options::create(timeout);
  options->devices.push_back(network(address));
  auto gloo = c10::make_intrusive<c10d::ProcessGroupGloo>(store, rank, size, options);
  gloo->setSequenceNumberForGroup();
  auto processes = c10::make_intrusive<c10d::ProcessGroup>(store, rank, size);
  processes->setDefaultBackend(c10d::ProcessGroup::BackendType::GLOO);
  processes->setBackend(c10::DeviceType::CPU, c10d::ProcessGroup::BackendType::GLOO, gloo);
  return processes;
}

class JoinedGroup final : public Group {
 public:
  JoinedGroup(int rank, int size, c10::Device device, Processes processes) : Group(rank, size, device), engine_{std::move(processes)} {}
  const Engine& engine() const override { return engine_; }

 private:
  Engine engine_;
};

template <class Work>
void finish(const Work& work) {
  if (work) work->wait();
}

}  // namespace

#ifndef ZOO_HAS_NCCL
void add_nccl(c10d::ProcessGroup&, const c10::intrusive_ptr<c10d::Store>&, int, int, std::chrono::milliseconds) {
  throw UserError("several ranks on GPUs need NCCL, which this build does not have", "build with -DZOO_CUDA=ON, or use --device cpu");
}
#endif

void Group::guarded(const std::function<void()>& work) const {
  try {
    work();
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(fmt::format("rank {} of {}: another rank is gone, or did not answer in time: {}", rank_, size_, first_line(error.what())),
                "see what the other ranks said; after a crash --resume continues from the last checkpoint");
  }
}

void Group::sum(at::Tensor& values) const {
  guarded([&] {
    std::vector<at::Tensor> tensors{values.contiguous()};
    finish(engine().processes->allreduce(tensors));
    if (!tensors[0].is_same(values)) values.copy_(tensors[0]);
  });
}

void Group::broadcast(at::Tensor& values) const {
  guarded([&] {
    std::vector<at::Tensor> tensors{values.contiguous()};
    finish(engine().processes->broadcast(tensors));
    if (!tensors[0].is_same(values)) values.copy_(tensors[0]);
  });
}

at::Tensor Group::gather(const at::Tensor& rows) const {
  auto sizes = rows.sizes().vec();
  sizes.at(0) *= size_;
  at::Tensor all = at::empty(sizes, rows.options().memory_format(at::MemoryFormat::Contiguous)), own = rows.contiguous();
  guarded([&] { finish(engine().processes->_allgather_base(all, own)); });
  return all;
}

int64_t Group::from_first(int64_t value) const {
  auto values = at::full({1}, value, at::TensorOptions().dtype(at::kLong).device(device_));
  broadcast(values);
  return values.item<int64_t>();
}

int64_t Group::largest(int64_t value) const {
  std::vector<at::Tensor> values{at::full({1}, value, at::TensorOptions().dtype(at::kLong).device(device_))};
  guarded([&] {
    c10d::AllreduceOptions options;
    options.reduceOp = c10d::ReduceOp::MAX;
    finish(engine().processes->allreduce(values, options));
  });
  return values[0].item<int64_t>();
}

GroupPointer join(const Place& place, c10::Device device) {
  try {
    c10d::TCPStoreOptions options;
    options.port = uint16_t(place.port);
    options.isServer = place.rank == 0 && !place.launcher_listens;
    options.numWorkers = size_t(place.size);
    options.waitWorkers = false;
    options.timeout = place.timeout;
    auto store = c10::make_intrusive<c10d::PrefixStore>(place.prefix, c10::make_intrusive<c10d::TCPStore>(place.address, options));
    auto processes = processes_of(store, place.rank, place.size, place.address, place.timeout);
    if (device.is_cuda()) add_nccl(*processes, store, place.rank, place.size, place.timeout);
    return std::make_shared<JoinedGroup>(place.rank, place.size, device, std::move(processes));
  } catch (const Error&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(fmt::format("rank {} of {} did not meet the others at {}:{}: {}", place.rank, place.size, place.address, place.port,
                            first_line(error.what())),
                "all ranks must be started, with the same MASTER_ADDR and MASTER_PORT; GLOO_SOCKET_IFNAME names the network interface");
  }
}

std::vector<GroupPointer> groups_of_threads(int size, std::chrono::milliseconds timeout) {
  const auto store = c10::make_intrusive<c10d::HashStore>();
  store->setTimeout(timeout);
  std::vector<std::future<GroupPointer>> joining;
  for (int rank = 0; rank < size; ++rank) {
    joining.push_back(std::async(std::launch::async, [=]() -> GroupPointer {
      return std::make_shared<JoinedGroup>(rank, size, at::kCPU, processes_of(store, rank, size, "127.0.0.1", timeout));
    }));
  }
  std::vector<GroupPointer> groups;
  for (auto& one : joining) groups.push_back(one.get());
  return groups;
}

}  // namespace zoo::dist
