// SPDX-License-Identifier: Apache-2.0
#include "support/random_kernel.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <utility>

#include "support/fabric_case.h"
#include "wse/tiles/program_builder.h"

namespace wse::testing {

using fabric::Port;
using tiles::Array;
using tiles::Completion;
using tiles::DataType;
using tiles::Descriptor;
using tiles::DescriptorKind;
using tiles::Instruction;
using tiles::kNone;
using tiles::kNumInputQueues;
using tiles::kNumMicrothreads;
using tiles::kNumOutputQueues;
using tiles::Opcode;
using tiles::Operand;
using tiles::Priority;
using tiles::Program;
using tiles::ProgramBuilder;
using tiles::Task;
using tiles::VectorOp;

namespace {

constexpr const char* kPairs = "pairs";  // an array of pairs for unpack
constexpr std::uint32_t kPairElements = 12;

/// Draws by percent and bound.
class Dice {
 public:
  explicit Dice(base::Random& random) : random_(random) {}
  bool chance(unsigned percent) { return random_.below(100) < percent; }
  std::uint32_t below(std::uint64_t bound) {
    return static_cast<std::uint32_t>(random_.below(bound));
  }
  std::uint32_t from(std::uint32_t low, std::uint32_t high) { return low + below(high - low + 1); }
  std::uint32_t bits() { return static_cast<std::uint32_t>(random_.next()); }
  template <class T>
  T& one_of(std::vector<T>& all) {
    return all[below(all.size())];
  }
  template <class T>
  void shuffle(std::vector<T>& all) {
    for (std::size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[below(i)]);
  }

 private:
  base::Random& random_;
};

/// What passes the ramp of a tile in one color.
struct Flow {
  std::uint8_t color = 0;
  std::uint32_t wavelets = 0;
  std::uint32_t controls = 0;  ///< control wavelets that are sent too
  bool known = true;           ///< else switches or filters may keep some back
  std::uint8_t queue = 0;
};

struct Ports {
  std::vector<Flow> in, out;
  std::string key() const {
    std::string text;
    for (const Flow& f : in) {
      text += fmt::format("i{},{},{},{};", f.color, f.wavelets, f.controls, f.known);
    }
    for (const Flow& f : out) text += fmt::format("o{},{},{};", f.color, f.wavelets, f.controls);
    return text;
  }
};

/// Writes a program that sends and receives what its ports say, and computes.
class RandomProgram {
 public:
  RandomProgram(base::Random& random, const Ports& ports, bool sloppy, const std::string& name)
      : dice_(random), ports_(ports), sloppy_(sloppy), p_(name) {}

  Program make() {
    lay_out_memory();
    tie_queues();
    plan_tasks();
    for (const Planned& planned : tasks_) write(planned);
    return p_.build();
  }

 private:
  enum class Job {
    kSend,
    kReceive,
    kForward,
    kCompute,
    kScalars,
    kAccess,
    kLoop,
    kFifo,
    kSeek,
    kUnpack,
    kBlock,
    kActivate,
    kControls,
    kAccumulate
  };
  struct Work {
    Job job;
    std::size_t flow = 0;
    std::size_t other = 0;
  };
  struct Planned {
    Task::Kind kind = Task::Kind::kLocal;
    std::uint8_t queue = 0;
    std::uint8_t id = 0;
    std::size_t link = 0;  ///< place among the local tasks that follow each other
    bool side = false;     ///< a local task that others activate
  };
  /// What an operation reads and writes beside memory.
  struct Ends {
    Operand in, out;
    std::uint8_t in_bytes = 0, out_bytes = 0;  ///< of an element; 0: none
    bool fabric_in = false, fabric_out = false;
  };
  static constexpr std::uint8_t kLoopRegister = 7;
  static constexpr std::uint8_t kAddressRegister = 8;
  static constexpr std::uint8_t kLengthRegister = 9;
  static constexpr std::uint32_t kDataRegisters = 7;  // 0 .. 6
  static constexpr std::uint32_t kNearBytes = 256;

  // Memory and queues.

  void lay_out_memory() {
    for (const std::uint8_t bytes : {std::uint8_t{2}, std::uint8_t{4}}) {
      for (std::uint32_t k = dice_.from(1, 3); k > 0; --k) {
        const std::string name = fmt::format("a{}", arrays_.size());
        const std::uint32_t elements = dice_.from(6, 40);
        const bool near = dice_.chance(25) && near_ + elements * bytes <= kNearBytes;
        if (near) near_ += elements * bytes;
        arrays_.push_back(near ? p_.near_array(name, elements, bytes)
                               : p_.array(name, elements, bytes));
      }
    }
    rings_[0] = p_.circular(p_.array("ring2", dice_.from(1, 11), 2));
    rings_[1] = p_.circular(p_.array("ring4", dice_.from(1, 11), 4));
    pairs_ = p_.array(kPairs, kPairElements, 4);
  }

  void tie_queues() {
    std::vector<std::uint8_t> inputs{0, 1, 2, 3, 4, 5, 6, 7};
    std::vector<std::uint8_t> outputs{0, 1, 2, 3, 4, 5};
    dice_.shuffle(inputs);
    dice_.shuffle(outputs);
    for (std::size_t i = 0; i < ports_.in.size(); ++i) {
      ports_.in[i].queue = inputs[i];
      p_.input(inputs[i], ports_.in[i].color);
    }
    for (std::size_t i = 0; i < ports_.out.size(); ++i) {
      ports_.out[i].queue = outputs[i];
      p_.output(outputs[i], ports_.out[i].color);
    }
  }

  // Tasks and what they do.

  void plan_tasks() {
    links_.resize(dice_.from(1, 3));
    std::vector<Work> works;
    std::vector<bool> sent(ports_.out.size(), false);
    for (std::size_t f = 0; f < ports_.in.size(); ++f) {
      const Flow& flow = ports_.in[f];
      if (flow.controls != 0 && dice_.chance(60)) {
        for (std::uint8_t id = 0; id < 4; ++id) {
          if (dice_.chance(60)) tasks_.push_back({Task::Kind::kControl, flow.queue, id, 0, false});
        }
      }
      if (dice_.chance(flow.known ? 30 : 90)) {
        tasks_.push_back({Task::Kind::kData, flow.queue, 0, 0, false});
        if (dice_.chance(10)) tasks_.push_back(tasks_.back());
        continue;
      }
      if (flow.wavelets == 0) continue;
      // A queue that both an operation and a task read.
      if (dice_.chance(12)) tasks_.push_back({Task::Kind::kData, flow.queue, 0, 0, false});
      if (!ports_.out.empty() && dice_.chance(30)) {
        const std::size_t out = dice_.below(ports_.out.size());
        if (!sent[out] && ports_.out[out].wavelets != 0) {
          sent[out] = true;
          works.push_back({Job::kForward, f, out});
          continue;
        }
      }
      works.push_back({Job::kReceive, f, 0});
    }
    for (std::size_t f = 0; f < ports_.out.size(); ++f) {
      if (!sent[f] && ports_.out[f].wavelets != 0) works.push_back({Job::kSend, f, 0});
    }
    dice_.shuffle(works);
    for (std::uint32_t k = dice_.below(6); k > 0; --k) {
      static constexpr std::array kJobs{
          Job::kCompute, Job::kCompute,  Job::kCompute,   Job::kCompute, Job::kScalars,
          Job::kAccess,  Job::kLoop,     Job::kFifo,      Job::kSeek,    Job::kUnpack,
          Job::kBlock,   Job::kActivate, Job::kAccumulate};
      works.insert(works.begin() + dice_.below(works.size() + 1),
                   {kJobs[dice_.below(kJobs.size())], 0, 0});
    }
    for (std::size_t f = 0; f < ports_.out.size(); ++f) {
      if (ports_.out[f].controls == 0) continue;
      const std::size_t at = dice_.chance(50) ? works.size() : dice_.below(works.size() + 1);
      works.insert(works.begin() + static_cast<std::ptrdiff_t>(at), {Job::kControls, f, 0});
    }
    for (std::size_t w = 0; w < works.size(); ++w) {
      links_[w * links_.size() / works.size()].push_back(works[w]);
    }
    for (std::size_t link = 0; link < links_.size(); ++link) {
      tasks_.push_back({Task::Kind::kLocal, 0, 0, link, false});
    }
    if (dice_.chance(50)) tasks_.push_back({Task::Kind::kLocal, 0, 0, 0, true});
    dice_.shuffle(tasks_);
    // How each local task starts the next one.
    for (std::size_t link = 0; link < links_.size(); ++link) {
      unblocks_.push_back(dice_.chance(35));
    }
  }

  std::size_t number_of_link(std::size_t link) const {
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (tasks_[i].kind == Task::Kind::kLocal && !tasks_[i].side && tasks_[i].link == link) {
        return i;
      }
    }
    return 0;
  }
  std::size_t side_task() const {
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (tasks_[i].side) return i;
    }
    return kNone;
  }

  void write(const Planned& planned) {
    const std::string name = fmt::format("t{}", written_++);
    Task& task = planned.kind == Task::Kind::kLocal ? p_.task(name)
                 : planned.kind == Task::Kind::kData
                     ? p_.data_task(name, planned.queue)
                     : p_.control_task(name, planned.queue, planned.id);
    task.high_priority = dice_.chance(30);
    if (planned.kind != Task::Kind::kLocal || planned.side) {
      task.blocked = dice_.chance(sloppy_ ? 10 : 1);
      write_short();
      if (planned.side && dice_.chance(1)) p_.activate(p_.current_task());
      return p_.end();
    }
    task.active = planned.link == 0 || unblocks_[planned.link];
    task.blocked = planned.link != 0 && unblocks_[planned.link];
    for (const Work& work : links_[planned.link]) write(work);
    if (planned.link + 1 < links_.size()) start_link(planned.link + 1);
    p_.end();
  }

  /// The next local task is started by an instruction or by a microthread that finishes.
  void start_link(std::size_t link) {
    const auto number = static_cast<std::uint8_t>(number_of_link(link));
    const bool unblocks = unblocks_[link];
    if (dice_.chance(50)) {
      Instruction& i = compute({}, dice_.from(1, 12));
      on_microthread(i, microthread(), unblocks ? Completion::kUnblock : Completion::kActivate,
                     number);
      i.priority = priority();
    } else if (unblocks) {
      p_.unblock(number);
    } else {
      p_.activate(number);
    }
  }

  /// What tasks do that wavelets start.
  void write_short() {
    for (std::uint32_t k = dice_.below(4); k > 0; --k) {
      switch (dice_.below(4)) {
        case 0:
          p_.scalar(VectorOp::kAdd, DataType::kInt32, 5, p_.r(5), p_.r(0));
          break;
        case 1:
          scalars();
          break;
        case 2:
          p_.store(p_.integer(word_address()), p_.r(0));
          break;
        case 3:
          compute({}, dice_.from(1, 6));
          break;
      }
    }
  }

  void write(const Work& work) {
    switch (work.job) {
      case Job::kSend:
        return send(ports_.out[work.flow]);
      case Job::kReceive:
        return receive(ports_.in[work.flow]);
      case Job::kForward:
        return forward(ports_.in[work.flow], ports_.out[work.other]);
      case Job::kCompute:
        maybe_microthread(compute({}, dice_.chance(4) ? 0 : dice_.from(1, 40)));
        return;
      case Job::kScalars:
        return scalars();
      case Job::kAccess:
        return access();
      case Job::kLoop:
        return loop();
      case Job::kFifo:
        return fifo();
      case Job::kSeek:
        return seek();
      case Job::kUnpack:
        return unpack();
      case Job::kAccumulate:
        return accumulate();
      case Job::kBlock:
        return block();
      case Job::kActivate:
        if (side_task() != kNone) p_.activate(static_cast<std::uint8_t>(side_task()));
        return;
      case Job::kControls:
        return controls(ports_.out[work.flow]);
    }
  }

  std::uint8_t fabric_bytes() { return dice_.chance(40) ? 2 : 4; }
  /// Elements that fill so many wavelets.
  std::uint32_t elements(std::uint32_t wavelets, std::uint8_t bytes) {
    return bytes == 4 ? wavelets : 2 * wavelets - (dice_.chance(20) ? 1 : 0);
  }
  std::uint32_t about(std::uint32_t wavelets) {
    if (sloppy_ && dice_.chance(25)) wavelets += dice_.below(3);
    if (sloppy_ && dice_.chance(25)) wavelets -= std::min(wavelets, dice_.below(3));
    return wavelets;
  }
  /// Some wavelets in one or two operations.
  std::vector<std::uint32_t> parts(std::uint32_t wavelets) {
    if (wavelets < 2 || dice_.chance(65)) return {wavelets};
    const std::uint32_t first = dice_.from(1, wavelets - 1);
    return {first, wavelets - first};
  }

  void send(const Flow& flow) {
    for (const std::uint32_t wavelets : parts(about(flow.wavelets))) {
      if (wavelets == 0) continue;
      Ends ends;
      set_out(ends, flow, fabric_bytes());
      maybe_microthread(compute(ends, elements(wavelets, ends.out_bytes)));
      if (flow.controls != 0 && dice_.chance(50)) control(flow);
    }
  }
  void receive(const Flow& flow) {
    for (const std::uint32_t wavelets : parts(about(flow.wavelets))) {
      if (wavelets == 0) continue;
      if (wavelets < 8 && dice_.chance(25)) {
        receive_words(flow, wavelets);
        continue;
      }
      Ends ends;
      set_in(ends, flow, fabric_bytes());
      maybe_microthread(compute(ends, elements(wavelets, ends.in_bytes)), 60);
    }
  }
  /// A wavelet at a time into registers; control wavelets are taken as well, sometimes.
  void receive_words(const Flow& flow, std::uint32_t wavelets) {
    const bool controls = dice_.chance(flow.controls == 0 ? 30 : 10);
    for (std::uint32_t k = 0; k < wavelets; ++k) {
      const auto target = static_cast<std::uint8_t>(dice_.below(kDataRegisters - 1));
      const auto next = static_cast<std::uint16_t>(p_.here() + 1);
      Instruction& i =
          p_.receive(target, flow.queue, any_type(), controls ? next : tiles::kNowhere);
      if (i.type == DataType::kMixed && dice_.chance(50)) i.b = ProgramBuilder::integer(1);
    }
  }
  void forward(const Flow& in, const Flow& out) {
    const std::uint8_t bytes = fabric_bytes();
    const std::uint32_t both = std::min(in.wavelets, out.wavelets);
    Ends ends;
    set_in(ends, in, bytes);
    set_out(ends, out, bytes);
    maybe_microthread(compute(ends, elements(both, bytes)), 60);
    Flow rest = in;
    rest.wavelets -= both;
    if (rest.wavelets != 0) receive(rest);
    rest = out;
    rest.wavelets -= both;
    if (rest.wavelets != 0) send(rest);
  }
  void set_in(Ends& ends, const Flow& flow, std::uint8_t bytes) {
    ends.in = p_.fabric_in(flow.queue, bytes);
    ends.in_bytes = bytes;
    ends.fabric_in = true;
  }
  void set_out(Ends& ends, const Flow& flow, std::uint8_t bytes) {
    ends.out = p_.fabric_out(flow.queue, bytes,
                             dice_.chance(flow.known ? 10 : 50) ? ProgramBuilder::Last::kAdvance
                                                                : ProgramBuilder::Last::kPlain);
    ends.out_bytes = bytes;
    ends.fabric_out = true;
  }

  void controls(const Flow& flow) {
    for (std::uint32_t k = 0; k < flow.controls; ++k) control(flow);
  }
  void control(const Flow& flow) {
    std::uint32_t commands = dice_.bits() & 0xffff;
    for (unsigned shift = 0; shift < 16; shift += 2) {  // a teardown is rare
      if ((commands >> shift & 3) == 3 && !dice_.chance(3)) commands ^= 2U << shift;
    }
    maybe_microthread(p_.vector(VectorOp::kMove, DataType::kInt32, p_.control_out(flow.queue),
                                p_.integer(dice_.below(6) << 16 | commands), p_.integer(1)));
  }

  void scalars() {
    for (std::uint32_t k = dice_.from(1, 4); k > 0; --k) {
      const DataType type = any_type();
      VectorOp op = any_op(type);
      const auto target = static_cast<std::uint8_t>(dice_.below(kDataRegisters));
      p_.scalar(op, type, target, any_scalar(type), any_scalar(type), any_scalar(type));
    }
    if (dice_.chance(30)) {  // a jump over an instruction
      const auto target = static_cast<std::uint16_t>(p_.here() + 2);
      const Operand condition = p_.r(dice_.below(kDataRegisters));
      switch (dice_.below(3)) {
        case 0:
          p_.jump(target);
          break;
        case 1:
          p_.jump_if_zero(condition, target);
          break;
        default:
          p_.jump_if_not_zero(condition, target);
          break;
      }
      p_.set(static_cast<std::uint8_t>(dice_.below(kDataRegisters)), p_.integer(dice_.below(9)));
    }
  }

  std::uint32_t word_address() {
    Array& array = dice_.one_of(arrays_);
    const std::uint32_t last = array.bytes() - 4;
    return array.address + (dice_.chance(80) ? dice_.below(last / 4 + 1) * 4 : dice_.below(last));
  }
  void access() {
    const auto target = static_cast<std::uint8_t>(dice_.below(kDataRegisters));
    const bool anywhere = sloppy_ && dice_.chance(20);
    const std::uint32_t address = anywhere ? dice_.below(10000) : word_address();
    if (dice_.chance(50)) {
      p_.set(kAddressRegister, p_.integer(address));
      const std::uint32_t offset = dice_.chance(50) ? 0 : dice_.below(3);
      p_.load(target, p_.r(kAddressRegister), any_type(), p_.integer(offset));
    } else {
      p_.store(p_.integer(address), p_.r(target));
    }
  }

  void loop() {
    p_.set(kLoopRegister, p_.integer(dice_.from(1, 5)));
    const std::uint16_t begin = p_.here();
    for (std::uint32_t k = dice_.from(1, 3); k > 0; --k) {
      if (dice_.chance(30)) {
        scalars();
      } else {
        maybe_microthread(compute({}, dice_.from(1, 10)));
      }
    }
    p_.scalar(VectorOp::kSub, DataType::kInt32, kLoopRegister, p_.r(kLoopRegister), p_.integer(1));
    p_.jump_if_not_zero(p_.r(kLoopRegister), begin);
  }

  /// One microthread fills a FIFO, another thread empties it.
  void fifo() {
    if (fifos_ == 3) return;
    const std::uint8_t bytes = dice_.chance(50) ? 2 : 4;
    const Array array = p_.array(fmt::format("fifo{}", fifos_++), dice_.from(2, 14), bytes);
    const bool activates = side_task() != kNone && dice_.chance(40);
    const Operand fifo = p_.fifo(array, dice_.chance(12),
                                 activates ? static_cast<std::uint8_t>(side_task()) : kNone);
    const std::uint32_t length = dice_.from(1, 30);
    Ends push;
    push.out = fifo;
    push.out_bytes = bytes;
    Ends pop;
    pop.in = fifo;
    pop.in_bytes = bytes;
    const std::uint8_t first = microthread();
    const bool push_first = dice_.chance(60);
    Instruction& one = compute(push_first ? push : pop, length);
    on_microthread(one, first);
    one.priority = priority();
    Instruction& two = compute(push_first ? pop : push, length);
    if (dice_.chance(50)) {
      on_microthread(two, static_cast<std::uint8_t>((first + 1) % kNumMicrothreads));
      two.priority = priority();
    }
  }

  void seek() {
    Operand& ring = rings_[dice_.below(2)];
    const std::uint32_t to = dice_.below(30);
    if (dice_.chance(50)) {
      p_.set(kAddressRegister, p_.integer(to));
      p_.seek(ring, p_.r(kAddressRegister));
    } else {
      p_.seek(ring, p_.integer(to));
    }
  }

  void unpack() {
    const DataType type = dice_.chance(50) ? DataType::kFp16 : DataType::kInt16;
    const std::uint32_t length = dice_.from(1, kPairElements);
    const Operand to = memory(2, length, false);
    const Operand from = dice_.chance(70) ? p_.part(pairs_, 0, length)
                                          : p_.integer(dice_.below(5) << 16 | dice_.below(65536));
    maybe_microthread(p_.vector(VectorOp::kUnpack, type, to, from, p_.integer(length)));
  }

  /// Into one element, near or not.
  void accumulate() {
    const Array array = dice_.one_of(arrays_);
    const std::uint32_t length = dice_.from(1, 30);
    const Operand sum = p_.walk(array, dice_.below(array.elements), {{length, 0}});
    DataType type = any_type();
    while (!fits(type, array.element_bytes)) type = any_type();
    const Operand a = memory(any_bytes(type), length, false);
    Instruction& i = p_.vector(VectorOp::kAdd, type, sum, a, sum, p_.integer(length));
    if (dice_.chance(50)) std::swap(i.a, i.b);
    if (!is_integer(type) && dice_.chance(50)) {
      i.op = VectorOp::kFma;
      i.b = any_scalar(type);
      i.a = a;
      i.c = sum;
    }
    maybe_microthread(i);
  }

  void block() {
    std::vector<std::uint8_t> wavelet_tasks;
    for (std::size_t i = 0; i < tasks_.size(); ++i) {
      if (tasks_[i].kind != Task::Kind::kLocal) {
        wavelet_tasks.push_back(static_cast<std::uint8_t>(i));
      }
    }
    if (wavelet_tasks.empty()) return;
    const std::uint8_t task = dice_.one_of(wavelet_tasks);
    p_.block(task);
    Instruction& i = compute({}, dice_.from(1, 12));
    if (dice_.chance(50)) {
      on_microthread(i, microthread(), Completion::kUnblock, task);
      i.priority = priority();
    } else if (!sloppy_ || dice_.chance(90)) {
      p_.unblock(task);
    }
  }

  // Operations.

  std::uint8_t microthread() {
    return static_cast<std::uint8_t>(dice_.below(dice_.chance(70) ? 3 : kNumMicrothreads));
  }
  Priority priority() { return static_cast<Priority>(dice_.below(3)); }
  void maybe_microthread(Instruction& i, unsigned percent = 40) {
    if (!dice_.chance(percent)) return;
    on_microthread(i, microthread());
    i.priority = priority();
    if (side_task() != kNone && dice_.chance(15)) {
      i.completion = Completion::kActivate;
      i.target = static_cast<std::uint16_t>(side_task());
    }
  }

  DataType any_type() { return static_cast<DataType>(dice_.below(tiles::kNumDataTypes)); }
  VectorOp any_op(DataType type) {
    while (true) {
      const auto op = static_cast<VectorOp>(dice_.below(tiles::kNumVectorOps));
      if (op != VectorOp::kUnpack && is_legal(op, type)) return op;
    }
  }
  static bool fits(DataType type, std::uint8_t bytes) {
    return bytes == 0 || type == DataType::kMixed || bits_of(type) / 8 == bytes;
  }

  Operand any_scalar(DataType type) {
    if (dice_.chance(50)) return p_.r(dice_.below(kDataRegisters));
    if (dice_.chance(30))
      return p_.integer(dice_.bits() & (type == DataType::kFp16 ? 0xffff : ~0U));
    if (type == DataType::kFp32 || type == DataType::kMixed) {
      return p_.number(static_cast<float>(dice_.below(16)) / 4);
    }
    return p_.integer(dice_.below(type == DataType::kFp16 ? 0x7c00 : 20));
  }

  /// A walk inside an array; with `pairs` two elements lie together wherever a step can begin.
  Operand memory(std::uint8_t bytes, std::uint32_t length, bool pairs) {
    std::vector<Array> fitting;
    for (const Array& a : arrays_) {
      if (a.element_bytes == bytes) fitting.push_back(a);
    }
    const Array array = dice_.one_of(fitting);
    Operand operand;
    if (dice_.chance(35)) {
      const std::uint32_t first = dice_.below(array.elements);
      std::uint32_t count = dice_.from(1, array.elements - first);
      if (pairs && count < length && count % 2 != 0) return memory(bytes, length, pairs);
      operand = p_.part(array, first, count);
    } else {
      operand = random_walk(array, pairs);
    }
    const bool far = sloppy_ && dice_.chance(2);
    if (far || dice_.chance(6)) {
      const std::uint32_t offset = far ? dice_.bits() >> dice_.from(10, 31) : 2 * dice_.below(8);
      p_.set(kAddressRegister, p_.integer(offset));
      p_.at_register(operand, kAddressRegister);
    }
    return operand;
  }

  Operand random_walk(const Array& array, bool pairs) {
    while (true) {
      std::array<tiles::Dimension, 4> d{};
      const std::uint32_t dimensions = dice_.from(1, 4);
      std::int64_t low = 0;
      std::int64_t high = 0;
      for (std::uint32_t k = 0; k < dimensions; ++k) {
        d[k].extent = dice_.from(1, k == 0 ? 12 : 4);
        d[k].stride = static_cast<std::int32_t>(dice_.below(k == 0 ? 7 : 17)) - (k == 0 ? 3 : 8);
        if (k == 0 && (pairs || dice_.chance(60))) d[k].stride = 1;
        if (k == 0 && pairs) d[k].extent = 2 * dice_.from(1, 5);
        const std::int64_t reach = std::int64_t{d[k].extent - 1} * d[k].stride;
        (reach < 0 ? low : high) += reach;
      }
      if (high - low >= array.elements) continue;
      const std::uint32_t room = array.elements - static_cast<std::uint32_t>(high - low);
      const auto first = static_cast<std::uint32_t>(-low + dice_.below(room));
      switch (dimensions) {
        case 1:
          return p_.walk(array, first, {d[0]});
        case 2:
          return p_.walk(array, first, {d[0], d[1]});
        case 3:
          return p_.walk(array, first, {d[0], d[1], d[2]});
        default:
          return p_.walk(array, first, {d[0], d[1], d[2], d[3]});
      }
    }
  }

  std::uint8_t any_bytes(DataType type) {
    if (type == DataType::kMixed) return dice_.chance(50) ? 2 : 4;
    return static_cast<std::uint8_t>(bits_of(type) / 8);
  }

  /// An operation with these ends, all else at random.
  Instruction& compute(const Ends& ends, std::uint32_t length) {
    DataType type = any_type();
    while (!fits(type, ends.in_bytes) || !fits(type, ends.out_bytes)) type = any_type();
    const VectorOp op = any_op(type);
    const bool pairs =
        (ends.fabric_in && ends.in_bytes == 2) || (ends.fabric_out && ends.out_bytes == 2);
    std::array<Operand, 3> operands;
    const std::uint32_t count = operands_of(op);
    const std::uint32_t place = ends.in_bytes != 0 ? dice_.below(count) : 3;
    std::uint32_t ports = ends.in_bytes != 0 && !ends.fabric_in ? 1 : 2;
    for (std::uint32_t o = 0; o < count; ++o) {
      if (o == place) {
        operands[o] = ends.in;
      } else if (ports > 0 && dice_.chance(75)) {
        operands[o] = place_in_memory(any_bytes(type), length, pairs);
        --ports;
      } else {
        operands[o] = any_scalar(type);
      }
    }
    const Operand result =
        ends.out_bytes != 0 ? ends.out : place_in_memory(any_bytes(type), length, pairs);
    Operand elements = p_.integer(length);
    if (!pairs && dice_.chance(15)) {  // for pairs the length must be known before
      p_.set(kLengthRegister, elements);
      elements = p_.r(kLengthRegister);
    }
    return p_.vector(op, type, result, operands[0], operands[1], operands[2], elements);
  }
  Operand place_in_memory(std::uint8_t bytes, std::uint32_t length, bool pairs) {
    return dice_.chance(15) ? rings_[bytes / 4] : memory(bytes, length, pairs);
  }

  Dice dice_;
  Ports ports_;
  const bool sloppy_;
  ProgramBuilder p_;
  std::vector<Array> arrays_;
  std::array<Operand, 2> rings_;  ///< circular buffers of 2 and 4 bytes
  Array pairs_;
  std::uint32_t near_ = 0;  ///< bytes of near arrays
  std::uint32_t fifos_ = 0;
  std::uint32_t written_ = 0;  ///< tasks
  std::vector<Planned> tasks_;
  std::vector<std::vector<Work>> links_;
  std::vector<bool> unblocks_;
};

/// Decides who sends how much, and writes the programs.
class RandomKernel {
 public:
  explicit RandomKernel(std::uint64_t seed) : random_(seed), dice_(random_) {
    const std::uint32_t largest = dice_.chance(20) ? 5 : 3;
    mesh_ = {dice_.from(1, largest), dice_.from(1, largest)};
  }

  KernelCase make(std::uint64_t seed) {
    KernelCase c(mesh_);
    c.seed = seed;
    configure(c.config);
    const bool switches = dice_.chance(30);
    c.kernel.name = "random";
    c.kernel.routes =
        RandomRoutes(mesh_, random_).make(dice_.below(5), switches, switches && dice_.chance(50));
    plan(c.kernel.routes);
    write_programs(c.kernel);
    return c;
  }

 private:
  void configure(tiles::MeshConfig& config) {
    fabric::EngineConfig& f = config.fabric;
    if (dice_.chance(40)) f.hop_cycles = dice_.from(1, 3);
    if (dice_.chance(40)) f.ramp_cycles = dice_.from(1, 3);
    if (dice_.chance(40)) f.queue_depth = dice_.from(1, 4);
    if (dice_.chance(20)) f.arbitration = fabric::Arbitration::kPlainRoundRobin;
    tiles::ComputeConfig& c = config.compute;
    if (dice_.chance(40)) {
      for (auto& depth : c.input_depths) depth = static_cast<std::uint8_t>(dice_.from(1, 8));
    }
    if (dice_.chance(40)) {
      for (auto& depth : c.output_depths) depth = static_cast<std::uint8_t>(dice_.from(1, 8));
    }
    if (dice_.chance(40)) c.task_start_cycles = dice_.below(6);
    if (dice_.chance(40)) c.vector_start_cycles = dice_.below(5);
    if (dice_.chance(30)) c.scalar_cycles = dice_.from(1, 4);
    if (dice_.chance(40)) c.write_delay_steps = dice_.below(6);
    if (dice_.chance(20)) c.lanes_fp16 = 2;
    if (dice_.chance(20)) c.lanes_fp32 = 2;
    if (dice_.chance(30)) c.add_lanes_fp32 = dice_.from(1, 4);
    config.sram.size_bytes = 4096;
    if (dice_.chance(30)) config.sram.banks = 2U << dice_.below(4);
  }

  /// Wavelets that pass each router, for routes without switches and filters.
  std::vector<std::uint32_t> spread(const fabric::RouteTable& routes, std::uint8_t color,
                                    const std::vector<std::uint32_t>& sent) const {
    std::vector<std::uint32_t> passed(mesh_.tiles(), 0);
    for (std::uint32_t k = 0; k < mesh_.columns + mesh_.rows; ++k) {
      std::vector<std::uint32_t> next = sent;
      for (std::uint32_t tile = 0; tile < mesh_.tiles(); ++tile) {
        const fabric::ColorRoute* route = routes.find(tile, color);
        if (route == nullptr) continue;
        for (const Port port : {Port::kNorth, Port::kEast, Port::kSouth, Port::kWest}) {
          if (route->outputs().contains(port)) next[mesh_.neighbour(tile, port)] += passed[tile];
        }
      }
      passed = next;
    }
    return passed;
  }

  void plan(const fabric::RouteTable& routes) {
    ports_.resize(mesh_.tiles());
    for (std::uint8_t color = 0; color < fabric::kNumColors; ++color) {
      if ((routes.colors() >> color & 1) != 0) plan_color(routes, color);
    }
  }

  void plan_color(const fabric::RouteTable& routes, std::uint8_t color) {
    bool known = true;
    std::vector<std::uint32_t> sources;
    for (std::uint32_t tile = 0; tile < mesh_.tiles(); ++tile) {
      const fabric::ColorRoute* route = routes.find(tile, color);
      if (route == nullptr) continue;
      if (route->position_count > 1 || route->filter.kind != fabric::RampFilter::Kind::kNone) {
        known = false;
      }
      if (route->inputs().contains(Port::kRamp)) sources.push_back(tile);
    }
    std::vector<std::uint32_t> sent(mesh_.tiles(), 0);
    const std::uint32_t wavelets = dice_.from(1, 14);
    const unsigned percent = dice_.from(20, 100);
    for (const std::uint32_t tile : sources) sent[tile] = dice_.chance(percent) ? wavelets : 0;
    std::vector<std::uint32_t> passed = spread(routes, color, sent);
    if (*std::max_element(passed.begin(), passed.end()) > 60) {  // too much for a small run
      sent.assign(mesh_.tiles(), 0);
      sent[sources.front()] = 1;
      passed = spread(routes, color, sent);
    }
    const std::uint32_t controls = dice_.chance(known ? 20 : 60) ? dice_.from(1, 3) : 0;
    for (std::uint32_t tile = 0; tile < mesh_.tiles(); ++tile) {
      const fabric::ColorRoute* route = routes.find(tile, color);
      if (route == nullptr) continue;
      if (route->outputs().contains(Port::kRamp)) {
        ports_[tile].in.push_back({color, passed[tile], controls, known, 0});
      }
      if (route->inputs().contains(Port::kRamp)) {
        ports_[tile].out.push_back({color, sent[tile], sent[tile] != 0 ? controls : 0, known, 0});
      }
    }
  }

  void write_programs(tiles::Kernel& kernel) {
    const bool sloppy = dice_.chance(25);
    std::map<std::string, std::uint16_t> same;
    for (std::uint32_t tile = 0; tile < mesh_.tiles(); ++tile) {
      const Ports& ports = ports_[tile];
      if (ports.in.empty() && mesh_.tiles() > 1 && dice_.chance(15)) continue;
      const auto found = same.find(ports.key());
      if (found != same.end() && dice_.chance(70)) {
        kernel.program_of[tile] = found->second;
        continue;
      }
      const std::string name = fmt::format("p{}", kernel.programs.size());
      const std::uint16_t number = kernel.add(RandomProgram(random_, ports, sloppy, name).make());
      kernel.program_of[tile] = number;
      same[ports.key()] = number;
    }
  }

  base::Random random_;
  Dice dice_;
  fabric::Mesh mesh_;
  std::vector<Ports> ports_;  ///< by tile
};

}  // namespace

std::uint32_t KernelCase::array_bytes() const {
  std::uint32_t bytes = 0;
  for (const Program& p : kernel.programs) bytes = std::max(bytes, p.memory_bytes);
  return bytes;
}

std::uint32_t KernelCase::reachable_bytes() const {
  for (const Program& p : kernel.programs) {
    const bool anywhere =
        std::any_of(p.instructions.begin(), p.instructions.end(),
                    [](const Instruction& i) {
                      return i.opcode == Opcode::kLoad || i.opcode == Opcode::kStore;
                    }) ||
        std::any_of(p.descriptors.begin(), p.descriptors.end(),
                    [](const Descriptor& d) { return d.address_register != kNone; });
    if (anywhere) return static_cast<std::uint32_t>(config.sram.size_bytes);
  }
  return array_bytes();
}

std::vector<std::uint8_t> KernelCase::initial_memory(std::uint32_t tile) const {
  std::vector<std::uint8_t> memory(array_bytes());
  base::Random random(seed << 16 ^ tile);
  const auto set = [&memory](std::size_t address, std::uint32_t word) {
    std::memcpy(&memory[address], &word, sizeof word);
  };
  for (std::size_t at = 0; at + 4 <= memory.size(); at += 4) {
    const auto bits = static_cast<std::uint32_t>(random.next());
    const std::array<std::uint32_t, 4> kinds{bits, bits & 15, 0x3f800000 + (bits & 0x00f00000),
                                             0x3c003c00 + (bits & 0x07ff07ff)};
    set(at, kinds[random.below(kinds.size())]);
  }
  const Program* program = kernel.program(tile);
  const Array* pairs = program != nullptr ? program->find_array(kPairs) : nullptr;
  for (std::uint32_t i = 0; pairs != nullptr && i < pairs->elements; ++i) {
    const auto bits = static_cast<std::uint32_t>(random.next());
    set(pairs->address + 4 * i, (bits & 0xffff) | (bits >> 16) % 5 << 16);
  }
  return memory;
}

fabric::EngineConfig KernelCase::fabric_config() const {
  fabric::EngineConfig fabric = config.fabric;
  fabric.receiver_depth = tiles::receiver_depths(kernel, config.compute);
  return fabric;
}

KernelCase random_kernel(std::uint64_t seed) { return RandomKernel(seed).make(seed); }

}  // namespace wse::testing
