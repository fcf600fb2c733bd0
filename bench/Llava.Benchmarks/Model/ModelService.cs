using System.Text.Json;
using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.GpuConsumer;
using Llava.GpuConsumer.Runners;
using Llava.Hosting.Transport;
using Llava.Ledger;
using Llava.Ledger.Jobs;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Scenes;
using Llava.Scheduler;
using Llava.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Llava.Benchmarks.Model;

/// <summary>The service in one process with the model that ships, whose runner can also be asked directly.</summary>
internal sealed class ModelService : IAsyncDisposable
{
    /// <summary>Name of the model.</summary>
    public const string Model = "llava-scenes";

    private const int MaxObjects = 4;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-bench-");
    private readonly IHost _host;
    private readonly SharedRunner _shared;

    private ModelService()
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddLlavaLedger(options => options.Configure(o => o.Location = Path.Combine(_folder.FullName, "ledger.db")));
        builder.Services.AddLlavaScheduler(options => options.Configure(o => o.ImageRoots = [_folder.FullName]));
        builder.Services.AddSingleton<SharedRunner>();
        builder.Services.AddSingleton<IItemRunnerFactory>(provider => provider.GetRequiredService<SharedRunner>());
        builder.Services.AddLlavaConsumer(options => options.Configure(o => o.Models = [Model]));
        builder.Services.AddLlavaTransport(builder.Configuration);
        _host = builder.Build();
        _shared = _host.Services.GetRequiredService<SharedRunner>();
    }

    /// <summary>The model's runner, the same that the service uses.</summary>
    public IItemRunner Runner => _shared.Runner ?? throw new InvalidOperationException("The model is not loaded yet.");

    /// <summary>Starts it; the model is loaded with the first job.</summary>
    public static async Task<ModelService> StartAsync(CancellationToken cancellation)
    {
        ModelService service = new();
        await service._host.Services.GetRequiredService<LedgerSetup>().PrepareAsync();
        await service._host.StartAsync(cancellation);
        return service;
    }

    /// <summary>Draws scenes that nobody drew before at this size: images of another size are other images to every cache.</summary>
    /// <returns>The images, in a folder of their own.</returns>
    public (string Folder, IReadOnlyList<string> Images) Draw(int count, int side)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder.FullName, $"side-{side}")).FullName;
        List<string> images = [];
        for (var image = 0; image < count; image++)
        {
            images.Add(Path.Combine(folder, $"{image:0000}.png"));
            File.WriteAllBytes(images[^1], ScenePixels.Png(Scene.FromSeed(Scene.FirstHeldOutSeed + image, MaxObjects), side));
        }

        return (folder, images);
    }

    /// <summary>A job about every image of a folder.</summary>
    public static JobRequest About(string folder, params string[] prompts) => new()
    {
        Model = Model,
        Prompts = prompts,
        Generation = new() { MaxNewTokens = 64 },
        Source = new() { Kind = SourceKind.Folder, Path = folder },
    };

    /// <summary>A job with one of the questions, in turn, about each image.</summary>
    public JobRequest AboutEach(IReadOnlyList<string> images, IReadOnlyList<string> questions)
    {
        var path = Path.Combine(_folder.FullName, "questions.jsonl");
        File.WriteAllLines(path, images.Select((image, number) => JsonSerializer.Serialize(new { image, prompt = questions[number % questions.Count] })));
        return About(path) with { Source = new() { Kind = SourceKind.Manifest, Path = path } };
    }

    /// <summary>Runs a job to its end.</summary>
    public async Task<JobProgress> RunAsync(JobRequest request, CancellationToken cancellation)
    {
        var job = (await _host.Services.GetRequiredService<JobSubmission>().SubmitAsync(request, cancellation)).Id;
        var jobs = _host.Services.GetRequiredService<JobReader>();
        while (!JobStates.Table.IsFinal((await jobs.ReadAsync(job, cancellation)).State))
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellation);
        }

        var progress = await jobs.ProgressAsync(job, cancellation);
        return progress.Succeeded == progress.Total ? progress : throw new InvalidOperationException($"{progress.Total - progress.Succeeded} of {progress.Total} items were not answered.");
    }

    public async ValueTask DisposeAsync()
    {
        await _host.StopAsync();
        await ((IAsyncDisposable)_host).DisposeAsync();
        _folder.Delete(recursive: true);
    }

    /// <summary>Loads the model for the service and remembers its runner.</summary>
    private sealed class SharedRunner(IImageBytes images) : IItemRunnerFactory
    {
        private readonly EngineItemRunnerFactory _loads = new(_ => Repository.Path("models", Model), new EngineOptions(), images, TimeProvider.System, NullLogger<EngineItemRunnerFactory>.Instance);

        public IItemRunner? Runner { get; private set; }

        public async ValueTask<IItemRunner> GetAsync(string model, CancellationToken cancellation) => Runner = await _loads.GetAsync(model, cancellation);

        public int SlotsOf(string model) => _loads.SlotsOf(model);

        public ValueTask<ModelDescription> DescribeAsync(string model, CancellationToken cancellation) => _loads.DescribeAsync(model, cancellation);
    }
}
