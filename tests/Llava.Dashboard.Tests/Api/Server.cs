using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Hangfire;
using Hangfire.InMemory;
using Llava.Contracts;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.Dashboard.Jobs;
using Llava.Dashboard.Security;
using Llava.Hosting.Health;
using Llava.Ledger;
using Llava.Ledger.Chunks;
using Llava.Ledger.Expansion;
using Llava.Ledger.Jobs;
using Llava.Ledger.Keys;
using Llava.Ledger.Results;
using Llava.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Llava.Dashboard.Tests.Api;

/// <summary>The dashboard on Kestrel over a ledger of its own, and callers of every kind.</summary>
public sealed partial class Server : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-api-");
    private readonly Dictionary<string, string> _settings = new() { ["Llava:SignIn:AttemptsPerMinute"] = "1000" };
    private Action<IServiceCollection> _services = _ => { };
    private Action<WebApplication> _routes = _ => { };
    private WebApplication _app = null!;

    /// <summary>The tenant of every caller but the other tenant's.</summary>
    public const string Tenant = "archive";

    public IServiceProvider Services => _app.Services;

    public Uri Address { get; private set; } = null!;

    /// <summary>Sets an option before the start.</summary>
    public Server With(string setting, string value)
    {
        _settings[setting] = value;
        return this;
    }

    /// <summary>Adds services before the start.</summary>
    public Server With(Action<IServiceCollection> services)
    {
        _services += services;
        return this;
    }

    /// <summary>Adds routes before the start, behind the dashboard's door.</summary>
    public Server With(Action<WebApplication> routes)
    {
        _routes += routes;
        return this;
    }

    public async Task InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ApplicationName = typeof(DashboardHosting).Assembly.GetName().Name });
        builder.Logging.ClearProviders();
        foreach (var (name, value) in _settings)
        {
            builder.Configuration[name] = value;
        }

        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(_folder.FullName, "ledger.db")));
        builder.Services.AddHangfire(hangfire => hangfire.UseInMemoryStorage()).AddLoggingOfTheProcess();
        _services(builder.Services);
        builder.Services.AddLlavaDashboard().AddOneTimeLink().AddSingleton<IThumbnails, NoThumbnails>();
        builder.Services.AddHealthChecks();
        _app = builder.Build();
        _app.MapLlavaDashboard();
        _app.MapLlavaHealth();
        _routes(_app);
        await Get<LedgerSetup>().PrepareAsync();
        await _app.StartAsync();
        Address = new(_app.Urls.First());
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    public T Get<T>()
        where T : notnull => Services.GetRequiredService<T>();

    /// <summary>A caller without a key.</summary>
    public HttpClient Stranger() => new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Address };

    /// <summary>A caller that shows this secret.</summary>
    public HttpClient Holder(string secret)
    {
        var http = Stranger();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        return http;
    }

    /// <summary>A caller with a key of this role.</summary>
    public async Task<HttpClient> CallerAsync(AccessRole role, string tenant = Tenant) => Holder((await Get<ApiKeys>().CreateAsync(role.WireName(), tenant, role)).Secret);

    /// <summary>A browser that opened the one-time link; works once.</summary>
    public async Task<HttpClient> BrowserAsync()
    {
        HttpClient http = new(new SocketsHttpHandler { AllowAutoRedirect = false }) { BaseAddress = Address };
        using var response = await http.GetAsync(new Uri(Get<OneTimeLink>().Path, UriKind.Relative));
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        return http;
    }

    /// <summary>A browser in which somebody with a key of this role signed in.</summary>
    public async Task<HttpClient> SignedInAsync(AccessRole role, string tenant = Tenant) => await SignInAsync((await Get<ApiKeys>().CreateAsync(role.WireName(), tenant, role)).Secret);

    /// <summary>A browser in which this key was shown to the login.</summary>
    public async Task<HttpClient> SignInAsync(string secret)
    {
        var http = Stranger();
        using var response = await PostFormAsync(http, "/login", new() { ["key"] = secret });
        Assert.Equal(HttpStatusCode.Redirect, response.StatusCode);
        return http;
    }

    /// <summary>Fills the form of a page in and sends it, to the page itself or elsewhere.</summary>
    public static async Task<HttpResponseMessage> PostFormAsync(HttpClient http, string page, Dictionary<string, string> fields, string? to = null)
    {
        using var form = await http.GetAsync(new Uri(page, UriKind.Relative));
        var token = FormToken().Match(await form.Content.ReadAsStringAsync()).Groups["token"].Value;
        using FormUrlEncodedContent body = new(fields.Append(new("__RequestVerificationToken", token)));
        return await http.PostAsync(new Uri(to ?? page, UriKind.Relative), body);
    }

    public static object Request(string path = "/data/photos") => new { model = "scenes", prompt = "Describe.", source = new { kind = "folder", path } };

    /// <summary>Submits and returns the job's id.</summary>
    public static async Task<JobId> SubmitAsync(HttpClient caller)
    {
        using var response = await caller.PostAsJsonAsync("/api/v1/jobs", Request());
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        return JobId.Parse((await JsonAsync(response)).GetProperty("id").GetString()!);
    }

    /// <summary>A job of this many items in chunks of four, all answered but those that fail, brought to its end.</summary>
    public async Task<JobId> FinishedJobAsync(int items, Func<int, string?>? codeOf = null, string tenant = Tenant)
    {
        var (job, _) = await Get<JobSubmission>().SubmitAsync(new() { Model = "scenes", Prompt = "Describe.", Tenant = tenant, Source = new() { Kind = SourceKind.Folder, Path = "/data" }, ChunkItems = 512 });
        var chunks = Enumerable.Range(0, items).Select(item => new ExpandedItem(new($"item-{item}", [$"/data/{item}.jpg"]))).Chunk(512).Select(chunk => new ExpandedChunk(chunk, 1)).ToList();
        Assert.True(await Get<JobExpansion>().AppendAsync(job, 0, chunks, "end"));
        Assert.True(await Get<JobExpansion>().FinishAsync(job));
        for (var chunk = 0; chunk < chunks.Count; chunk++)
        {
            var claimed = (await Get<ChunkLeases>().ClaimAsync(job, chunk, 0, "w"))!;
            Assert.True(await Get<ResultWriter>().CommitAsync(claimed.Lease, [.. claimed.Items.Select(item => Finish(item.ItemNo, codeOf?.Invoke(item.ItemNo)))], completesChunk: true));
        }

        await Get<JobEnding>().AdvanceAsync();
        foreach (var ended in await Get<JobEnding>().UnannouncedAsync())
        {
            await Get<JobEnding>().AnnounceAsync(ended, _ => Task.CompletedTask);
        }

        return job;
    }

    public static async Task<JsonElement> JsonAsync(HttpResponseMessage response) => JsonSerializer.Deserialize<JsonElement>(await response.Content.ReadAsStringAsync());

    /// <summary>The error of an answer, which must have all its four fields.</summary>
    public static async Task<(HttpStatusCode Status, string Code, string? Param, string Message)> ErrorAsync(HttpResponseMessage response)
    {
        var error = (await JsonAsync(response)).GetProperty("error");
        Assert.NotEmpty(error.GetProperty("type").GetString()!);
        return (response.StatusCode, error.GetProperty("code").GetString()!, error.GetProperty("param").GetString(), error.GetProperty("message").GetString()!);
    }

    private static FinishedItem Finish(int item, string? code) => code is not null
        ? FinishedItem.Failed(item, new(code, "why"))
        : new() { ItemNo = item, Outcome = ItemOutcome.Succeeded, Text = $"answer {item}", FinishReason = "stop", Usage = new(10, 5) };

    [GeneratedRegex("name=\"__RequestVerificationToken\" type=\"hidden\" value=\"(?<token>[^\"]+)\"")]
    private static partial Regex FormToken();

    private sealed class NoThumbnails : IThumbnails
    {
        public Task<byte[]?> ReadAsync(string image, CancellationToken cancellationToken) => Task.FromResult<byte[]?>(null);
    }
}
