using System.Collections.Concurrent;
using System.Net;
using Llava.Cli.Clients;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Llava.Cli.Tests.Clients;

/// <summary>A server that answers one request after the other as a test says.</summary>
internal sealed class OddServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ConcurrentQueue<RequestDelegate> _answers;

    private OddServer(WebApplication app, IEnumerable<RequestDelegate> answers) => (_app, _answers) = (app, new(answers));

    /// <summary>What was asked: method, path, query and body.</summary>
    public ConcurrentQueue<string> Asked { get; } = [];

    public static async Task<OddServer> StartAsync(params RequestDelegate[] answers)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        var app = builder.Build();
        OddServer server = new(app, answers);
        app.Run(server.AnswerAsync);
        await app.StartAsync();
        return server;
    }

    public IJobClient Client(ServerKey? key = null) => new HttpJobClient(new(new(_app.Urls.First() + "/"), key ?? new("llava_key", "the test")));

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        using StreamReader body = new(context.Request.Body);
        Asked.Enqueue($"{context.Request.Method} {context.Request.Path}{context.Request.QueryString} {await body.ReadToEndAsync()}");
        Assert.True(_answers.TryDequeue(out var answer), "More was asked than the test answers.");
        await answer(context);
    }
}
