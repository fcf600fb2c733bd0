using Llava.Ledger.Workers;
using Llava.Scheduler.Dispatch;

namespace Llava.Scheduler.Tests;

public sealed class WindowTests
{
    private const int Chunk = 32;

    [Fact]
    public void A_loaded_model_gets_twice_its_slots_and_two_chunks_of_each_worker() =>
        Assert.Equal((2 * (8 + 16)) + (4 * Chunk), Window.Of([Worker(new("m", "r", 8)), Worker(new("m", "r", 16))], Chunk)["m"].Items);

    [Theory]
    [InlineData(ModelState.Unloaded)]
    [InlineData(ModelState.Loading)]
    public void A_model_that_is_not_in_memory_gets_one_chunk_that_loads_it(ModelState state) =>
        Assert.Equal(new Window(Chunk, Chunk), Window.Of([Worker(new("m", "r", 8, state))], Chunk)["m"]);

    [Fact]
    public void A_model_that_cannot_be_loaded_gets_nothing() =>
        Assert.Empty(Window.Of([Worker(new("m", "r", 8, ModelState.Failed))], Chunk));

    [Fact]
    public void A_worker_that_drains_takes_nothing_more() =>
        Assert.Empty(Window.Of([Worker(new("m", "r", 8)) with { Draining = true }], Chunk));

    private static WorkerRecord Worker(ServedModel model) => new() { Id = "w", Host = "h", ProcessId = 1, ProcessStart = default, Models = [model] };
}
