using Llava.Ledger.Signals;
using Llava.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Llava.Ledger.Tests;

/// <summary>The doorbell between processes. The clock stands still, so that no poll can be what wakes a listener.</summary>
public sealed class PostgresSignalTests() : LedgerFixture(new PostgresTestDatabase())
{
    private static readonly TimeSpan Forever = TimeSpan.FromDays(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task A_ring_wakes_the_listeners_of_other_processes()
    {
        await using var other = Open();
        using var listener = await ListenAsync(other, LedgerTopic.JobSubmitted);

        await Submission.SubmitAsync(Request());

        await listener.WaitAsync(Forever, default).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_ring_of_another_topic_wakes_nobody()
    {
        await using var other = Open();
        using var controlled = await ListenAsync(other, LedgerTopic.JobControlled);
        using var submitted = other.GetRequiredService<ILedgerSignal>().Listen(LedgerTopic.JobSubmitted);
        var sleeping = controlled.WaitAsync(Forever, default);

        await Submission.SubmitAsync(Request());

        await submitted.WaitAsync(Forever, default).WaitAsync(Patience);
        Assert.False(sleeping.IsCompleted);
        Get<ILedgerSignal>().Ring(LedgerTopic.JobControlled);
        await sleeping.WaitAsync(Patience);
    }

    [Fact]
    public async Task A_ring_is_heard_in_its_own_process_at_once_and_once()
    {
        using var listener = await ListenAsync(Services, LedgerTopic.ChunksWaiting);
        await using var other = Open();
        using var elsewhere = await ListenAsync(other, LedgerTopic.ChunksWaiting);

        Get<ILedgerSignal>().Ring(LedgerTopic.ChunksWaiting);
        var heard = listener.WaitAsync(Forever, default);
        await heard.WaitAsync(Patience);

        // When the other has heard it, so has this one what the server sent to both.
        await elsewhere.WaitAsync(Forever, default).WaitAsync(Patience);
        Assert.False(listener.WaitAsync(Forever, default).IsCompleted);
    }

    [Fact]
    public async Task What_rang_before_the_process_ended_is_heard()
    {
        using var listener = await ListenAsync(Services, LedgerTopic.JobSubmitted);
        await using (var brief = Open())
        {
            await brief.GetRequiredService<Jobs.JobSubmission>().SubmitAsync(Request());
        }

        await listener.WaitAsync(Forever, default).WaitAsync(Patience);
    }

    [Fact]
    public async Task A_listener_hears_again_after_the_server_was_away()
    {
        await using PostgresServer server = new();
        await server.StartAsync();
        await server.CreateDatabaseAsync("ledger");
        await using var first = OpenAt(server);
        await using var second = OpenAt(server);
        using var listener = await ListenAsync(second, LedgerTopic.JobSubmitted);

        await server.KillAsync();
        await server.StartAsync();
        await listener.WaitAsync(Forever, default).WaitAsync(Patience); // its return is a ring: something may have been missed
        await first.GetRequiredService<Jobs.JobSubmission>().SubmitAsync(Request());

        await listener.WaitAsync(Forever, default).WaitAsync(Patience);

        static ServiceProvider OpenAt(PostgresServer server) => new ServiceCollection()
            .AddSingleton<TimeProvider>(new FakeTimeProvider())
            .AddLlavaLedger(options => options.Configure(o => o.Location = server.ConnectionString("ledger")))
            .BuildServiceProvider();
    }

    /// <summary>The first listener of a process, once that is connected: its first ring says so.</summary>
    private static async Task<ILedgerListener> ListenAsync(IServiceProvider process, LedgerTopic topic)
    {
        var listener = process.GetRequiredService<ILedgerSignal>().Listen(topic);
        await listener.WaitAsync(Forever, default).WaitAsync(Patience);
        return listener;
    }
}
