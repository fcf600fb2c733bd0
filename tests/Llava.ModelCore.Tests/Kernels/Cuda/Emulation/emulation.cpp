// Fibres and their two kinds of waiting.
#include "emulation.h"
#include <csetjmp>
#include <cstdlib>
#include <random>
#include <string>
#include <ucontext.h>
#include <vector>
#include "launch.h"

namespace {
constexpr size_t StackBytes = 64 * 1024;
constexpr int Warp = 32;
enum class State { Ready, InBlock, InWarp, Done };

struct Slot : Fibre {
    State state;
    bool has_begun;
    ucontext_t start;
    jmp_buf pause;
};

struct Memory { void* start; size_t bytes; };

thread_local jmp_buf scheduler;
thread_local std::vector<Slot> slots;
thread_local std::vector<char> stacks;
thread_local std::vector<Memory> shared;
thread_local const std::function<void()>* body;
thread_local std::string problem;

Slot& self() { return *static_cast<Slot*>(current); }

void leave(State state) {
    Slot& slot = self();
    slot.state = state;
    if (!_setjmp(slot.pause)) _longjmp(scheduler, 1);
}

// Begins with a context of its own and goes on by jumps, which ask the system for nothing.
void resume(Slot& slot) {
    current = &slot;
    if (_setjmp(scheduler)) return;
    if (slot.has_begun) _longjmp(slot.pause, 1);
    slot.has_begun = true;
    setcontext(&slot.start);
}

void run() {
    (*body)();
    leave(State::Done);
}

bool all(size_t from, size_t to, State state) {
    for (size_t i = from; i < to; i++) if (slots[i].state != state) return false;
    return true;
}

void exchange(size_t first) {
    unsigned values[Warp];
    for (int lane = 0; lane < Warp; lane++) values[lane] = slots[first + lane].value;
    for (int lane = 0; lane < Warp; lane++) {
        slots[first + lane].value = values[lane ^ slots[first + lane].mask];
        slots[first + lane].state = State::Ready;
    }
}

// Lets go on who has what it waited for; false when nobody has.
bool release() {
    bool released = false;
    for (size_t first = 0; first < slots.size(); first += Warp)
        if (all(first, first + Warp, State::InWarp)) exchange(first), released = true;
    if (all(0, slots.size(), State::InBlock)) {
        for (Slot& slot : slots) slot.state = State::Ready;
        released = true;
    }
    return released;
}

void run_block(const std::vector<int>& order) {
    for (const Memory& memory : shared) memset(memory.start, 0xFF, memory.bytes);
    for (size_t i = 0; i < slots.size(); i++) {
        slots[i].state = State::Ready;
        slots[i].has_begun = false;
        getcontext(&slots[i].start);
        slots[i].start.uc_stack.ss_sp = stacks.data() + i * StackBytes;
        slots[i].start.uc_stack.ss_size = StackBytes;
        slots[i].start.uc_link = nullptr;
        makecontext(&slots[i].start, run, 0);
    }
    while (problem.empty() && !all(0, slots.size(), State::Done)) {
        for (int i : order) {
            if (slots[i].state == State::Ready && problem.empty()) resume(slots[i]);
        }
        if (problem.empty() && !all(0, slots.size(), State::Done) && !release()) problem = "threads wait for others that do not come";
    }
}
}

thread_local Fibre* current;

void wait_for_block() { leave(State::InBlock); }
void wait_for_warp() { leave(State::InWarp); }
void register_shared(void* memory, size_t bytes) {
    shared.push_back({memory, bytes});
    memset(memory, 0xFF, bytes);
}

void fault(const char* what) {
    problem = what;
    leave(State::Done);
    abort();
}

const char* launch(const Grid& grid, unsigned order_seed, const std::function<void()>& kernel) {
    std::mt19937 random(order_seed);
    const int threads = grid.threads;
    const long long blocks = (long long)grid.x * grid.y * grid.z;
    problem.clear();
    if (threads % Warp) return "a block is not whole warps";
    slots.resize(threads);
    stacks.resize(std::max(stacks.size(), threads * StackBytes));
    body = &kernel;
    std::vector<int> order(threads);
    for (long long i = 0; i < blocks && problem.empty(); i++) {
        const long long block = order_seed % 2 ? blocks - 1 - i : i;
        for (int t = 0; t < threads; t++) order[t] = order_seed % 2 ? threads - 1 - t : t;
        if (order_seed > 1) std::shuffle(order.begin(), order.end(), random);
        for (int t = 0; t < threads; t++) {
            static_cast<Fibre&>(slots[t]) = Fibre{
                t, threads, {(int)(block % grid.x), (int)(block / grid.x % grid.y), (int)(block / grid.x / grid.y)}, {grid.x, grid.y, grid.z}, 0, 0};
        }
        run_block(order);
    }
    return problem.empty() ? nullptr : problem.c_str();
}
