namespace Llava.EndToEndTests;

/// <summary>A run of the queue that two processes train together.</summary>
public sealed class QueuedProcessesTests : IAsyncDisposable
{
    private const int Steps = 24;

    // Products are the same to the bit with the same number of threads only.
    private static readonly (string, string)[] Alone = [("OMP_NUM_THREADS", "1"), ("Llava__Training__MicroBatch", "1"), ("Llava__Training__Poll", "00:00:00.3")];

    private static readonly (string, string)[] Together = [.. Alone, ("Llava__Training__Processes", "2"), ("Llava__Training__Zero", "1")];

    private readonly TrainingServer _server = new();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Two_processes_have_the_losses_of_one_whichever_of_them_is_killed_and_one_alone_goes_on()
    {
        await _server.StartAsync(Together);
        var rows = await _server.SendScenesAsync(10);
        var asked = new { model = "llava-scenes", training_file = rows, max_steps = Steps, save_every = 4, learning_rate = 1e-4, hyperparameters = new { batch_size = 2 } };
        var id = await _server.CreateAsync(asked);
        await _server.UntilAsync(id, "running", step: 2);
        Assert.Single(_server.Children).Kill();
        await _server.UntilAsync($"/v1/fine_tuning/jobs/{id}/events?limit=100", events => events.ToString().Contains("goes on from its last checkpoint", StringComparison.Ordinal));
        await _server.UntilAsync(id, "running", step: 5);
        await _server.PostAsync($"/v1/fine_tuning/jobs/{id}/pause");
        await UntilAloneAsync();
        await _server.PostAsync($"/v1/fine_tuning/jobs/{id}/resume");
        await _server.UntilAsync(id, "running", step: 9);
        var orphan = Assert.Single(_server.Children);
        await _server.KillAsync(withChildren: false);
        await orphan.WaitForExitAsync(new CancellationTokenSource(TimeSpan.FromMinutes(1)).Token);

        await _server.StartAsync(Alone);
        var disturbed = await _server.ResultLinesAsync(await _server.UntilAsync(id, "succeeded"));
        var undisturbed = await _server.ResultLinesAsync(await _server.UntilAsync(await _server.CreateAsync(asked), "succeeded"));

        Assert.Equal(Steps + 1, undisturbed.Count);
        Assert.Equal(undisturbed, disturbed);
        Assert.Contains(await _server.EventsAsync(id), one => one.StartsWith("Process 1 of the run was lost", StringComparison.Ordinal));
    }

    private async Task UntilAloneAsync()
    {
        using CancellationTokenSource patience = new(TimeSpan.FromMinutes(1));
        while (_server.Children is { Count: > 0 } children)
        {
            await children[0].WaitForExitAsync(patience.Token);
        }
    }
}
