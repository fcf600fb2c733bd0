using System.Net;
using System.Text.Json;
using Llava.Contracts.Interactive;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Llava.Dashboard.Tests.Interactive;

/// <summary>A consumer's endpoint that does what a test tells it to.</summary>
internal sealed class ScriptedConsumer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private int _asked;

    private ScriptedConsumer(WebApplication app) => _app = app;

    public string Url => _app.Urls.First();

    /// <summary>How often it was asked.</summary>
    public int Asked => _asked;

    /// <param name="answer">Says events; what it does with the connection is its own affair.</param>
    public static async Task<ScriptedConsumer> StartAsync(Func<HttpContext, Func<ChatEvent, Task>, Task> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        ScriptedConsumer consumer = new(app);
        app.MapPost(InteractiveWire.ChatPath, context =>
        {
            Interlocked.Increment(ref consumer._asked);
            return answer(context, said => SayAsync(context, said));
        });
        await app.StartAsync();
        return consumer;
    }

    /// <summary>One that answers with these events.</summary>
    public static Task<ScriptedConsumer> SayingAsync(params ChatEvent[] events) => StartAsync(async (_, say) =>
    {
        foreach (var said in events)
        {
            await say(said);
        }
    });

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task SayAsync(HttpContext context, ChatEvent said)
    {
        await context.Response.WriteAsync(JsonSerializer.Serialize(said, InteractiveWire.Json) + "\n");
        await context.Response.Body.FlushAsync();
    }
}
