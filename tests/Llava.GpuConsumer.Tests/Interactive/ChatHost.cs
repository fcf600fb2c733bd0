using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Llava.Contracts.Interactive;
using Llava.GpuConsumer.Interactive;
using Llava.GpuConsumer.Runners;
using Llava.Hosting.Interactive;
using Llava.Hosting.Transport;
using Llava.Ledger;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace Llava.GpuConsumer.Tests.Interactive;

/// <summary>A consumer on a ledger of its own, and a caller of its endpoint.</summary>
internal sealed class ChatHost : IAsyncDisposable
{
    public const string Secret = "0123456789abcdef0123";

    private readonly string _folder;
    private readonly IHost _host;
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromMinutes(1) };

    private ChatHost(IHost host, FakeTimeProvider clock, string folder) => (_host, Clock, _folder) = (host, clock, folder);

    /// <summary>Stands still unless a test moves it.</summary>
    public FakeTimeProvider Clock { get; }

    public InteractiveDesk Desk => Get<InteractiveDesk>();

    public string? Url => Get<ChatServer>().Url;

    public T Get<T>()
        where T : notnull => _host.Services.GetRequiredService<T>();

    public static async Task<ChatHost> StartAsync(IReadOnlyList<string> models, Action<ChatOptions>? chat = null, IItemRunnerFactory? runners = null)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Configuration["Llava:Transport:Drain"] = "00:00:00";
        builder.Logging.SetMinimumLevel(LogLevel.Critical);
        FakeTimeProvider clock = new();
        var folder = Directory.CreateTempSubdirectory("llava-chat-").FullName;
        builder.Services.AddSingleton<TimeProvider>(clock).AddSingleton(runners ?? new NullItemRunnerFactory());
        builder.Services.AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(folder, "ledger.db")));
        builder.Services.AddLlavaConsumer(options => options.Configure(o => o.Models = [.. models]));
        builder.Services.Configure<ChatOptions>(o =>
        {
            o.Secret = Secret;
            chat?.Invoke(o);
        });
        builder.Services.AddLlavaTransport(builder.Configuration);
        var host = builder.Build();
        await host.Services.GetRequiredService<LedgerSetup>().PrepareAsync();
        await host.StartAsync();
        return new(host, clock, folder);
    }

    public async Task<HttpResponseMessage> PostAsync(ChatRequest request, string secret = Secret, CancellationToken cancellation = default)
    {
        using HttpRequestMessage message = new(HttpMethod.Post, Url + InteractiveWire.ChatPath) { Content = JsonContent.Create(request, options: InteractiveWire.Json) };
        message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        return await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellation);
    }

    public async Task<List<ChatEvent>> ChatAsync(ChatRequest request)
    {
        using var response = await PostAsync(request);
        response.EnsureSuccessStatusCode();
        List<ChatEvent> events = [];
        using StreamReader lines = new(await response.Content.ReadAsStreamAsync());
        while (await lines.ReadLineAsync() is { } line)
        {
            events.Add(JsonSerializer.Deserialize<ChatEvent>(line, InteractiveWire.Json)!);
        }

        return events;
    }

    public static ChatRequest Saying(string text, string model = "null") => new() { RequestId = "req_1", Model = model, Turns = [new(ChatSpeaker.User, text, [])] };

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}
