using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Tests.Egress;

/// <summary>A small real HTTP server on loopback that answers each path as the test says.</summary>
internal sealed class ImageServer : IAsyncDisposable
{
    public static readonly byte[] Image = [0x89, .. "PNG and more"u8];

    private readonly WebApplication _app;
    private int _requests;

    private ImageServer(WebApplication app) => _app = app;

    public int Port => new Uri(_app.Urls.First()).Port;

    /// <summary>Requests so far.</summary>
    public int Requests => _requests;

    public string Url(string path, string host = "images.test") => $"http://{host}:{Port}{path}";

    public static async Task<ImageServer> StartAsync(Func<HttpContext, Task> answer)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        ImageServer server = new(builder.Build());
        server._app.Run(context =>
        {
            Interlocked.Increment(ref server._requests);
            return answer(context);
        });
        await server._app.StartAsync();
        return server;
    }

    public static Task SendAsync(HttpContext context, byte[] body, string type = "image/png")
    {
        context.Response.ContentType = type;
        return context.Response.Body.WriteAsync(body).AsTask();
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();
}
