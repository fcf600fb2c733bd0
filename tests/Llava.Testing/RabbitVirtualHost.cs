using System.Diagnostics;
using System.Text.Json;

namespace Llava.Testing;

/// <summary>A virtual host of a broker: queues and users of one test.</summary>
/// <param name="server">The broker.</param>
/// <param name="name">Name of the virtual host.</param>
public sealed class RabbitVirtualHost(RabbitServer server, string name)
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    /// <summary>The broker.</summary>
    public RabbitServer Server { get; } = server;

    /// <summary>Name of the virtual host.</summary>
    public string Name { get; } = name;

    /// <summary>Messages in the queue, delivered and unacknowledged ones included; null when there is no such queue.</summary>
    public async Task<int?> CountAsync(string queue) =>
        await FindAsync(queue) is { } found && found.TryGetProperty("messages", out var count) ? count.GetInt32() : null;

    /// <summary>Type of the queue, such as <c>quorum</c>; null when there is no such queue.</summary>
    public async Task<string?> TypeAsync(string queue) => (await FindAsync(queue))?.GetProperty("type").GetString();

    /// <summary>Waits until the queue holds so many messages; the broker counts once a second.</summary>
    /// <exception cref="TimeoutException">It does not within a minute.</exception>
    public async Task WaitForCountAsync(string queue, int count)
    {
        var waited = Stopwatch.StartNew();
        while (await CountAsync(queue) is var found && found != count)
        {
            if (waited.Elapsed > Patience)
            {
                throw new TimeoutException($"Queue '{queue}' holds {found} messages and not {count}.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(100));
        }
    }

    private Task<JsonElement?> FindAsync(string queue) => Server.GetAsync($"queues/{Name}/{queue}");
}
