using System.Net;
using System.Text.Json;
using Llava.GpuConsumer.Runners;
using Llava.Hosting.Health;
using Llava.Hosting.Transport;
using Llava.Ledger;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Llava.GpuConsumer.Tests.Models;

/// <summary><c>/health</c> of a consumer, asked over HTTP.</summary>
public sealed class HealthEndpointTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-health-");
    private readonly ScriptedModels _models = new ScriptedModels().Add("/models/a", 60).Add("b", 60);
    private WebApplication? _app;
    private HttpClient? _http;

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _http?.Dispose();
        await _app!.StopAsync();
        await _app.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_consumer_is_ready_only_once_each_model_has_answered_a_question()
    {
        TaskCompletionSource answers = new();
        _models.Trying = model => model == "b" ? answers.Task : Task.CompletedTask;
        await StartAsync();
        var (status, body) = await WaitForAsync(json => State(json, "b") == "loading" && State(json, "a") == "loaded");
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "unhealthy"), (status, body.GetProperty("status").GetString()));

        answers.SetResult();

        (status, body) = await WaitForAsync(json => json.GetProperty("status").GetString() == "healthy");
        Assert.Equal((HttpStatusCode.OK, "loaded"), (status, State(body, "b")));
        Assert.Equal(2, Model(body, "b").GetProperty("trial").GetProperty("tokens").GetInt32());
    }

    [Fact]
    public async Task A_model_that_cannot_be_loaded_is_named_and_the_other_still_serves()
    {
        _models.Loading = model => model == "b" ? throw new IOException("'/secret/place/b.safetensors' is cut short.") : Task.CompletedTask;
        await StartAsync();

        var (status, body) = await WaitForAsync(json => json.GetProperty("status").GetString() == "degraded");

        Assert.Equal((HttpStatusCode.OK, "failed", "loaded"), (status, State(body, "b"), State(body, "a")));
        Assert.DoesNotContain("/secret/place", body.GetRawText(), StringComparison.Ordinal);
        Assert.DoesNotContain("/models/a", body.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_consumer_whose_engine_stands_still_is_not_ready()
    {
        await StartAsync();
        await WaitForAsync(json => json.GetProperty("status").GetString() == "healthy");

        _models.Problems["b"] = "its engine has taken no step for 130 s.";

        var (status, body) = await WaitForAsync(json => State(json, "b") == "failed");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal("loaded", State(body, "a"));
    }

    private static string? State(JsonElement body, string model) => Model(body, model).GetProperty("state").GetString();

    private static JsonElement Model(JsonElement body, string model) =>
        body.GetProperty("checks").GetProperty("models").GetProperty("models").EnumerateArray().Single(entry => entry.GetProperty("name").GetString() == model);

    private async Task<(HttpStatusCode Status, JsonElement Body)> WaitForAsync(Func<JsonElement, bool> isThere)
    {
        for (var patience = 0; patience < 1000; patience++)
        {
            using var response = await _http!.GetAsync(new Uri("/health", UriKind.Relative));
            var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
            if (isThere(body))
            {
                return (response.StatusCode, body);
            }

            await Task.Delay(10);
        }

        throw new TimeoutException("The health never said so.");
    }

    private async Task StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration["Llava:Transport:Drain"] = "00:00:00";
        builder.Logging.SetMinimumLevel(LogLevel.Critical);
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Services.AddSingleton<IItemRunnerFactory>(_models);
        builder.Services.AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(_folder.FullName, "ledger.db")));
        builder.Services.AddLlavaConsumer(options => options.Configure(o => o.Models = ["/models/a", "b"]));
        builder.Services.AddLlavaTransport(builder.Configuration);
        _app = builder.Build();
        _app.MapLlavaHealth();
        await _app.Services.GetRequiredService<LedgerSetup>().PrepareAsync();
        await _app.StartAsync();
        _http = new() { BaseAddress = new(_app.Urls.First()) };
    }
}
