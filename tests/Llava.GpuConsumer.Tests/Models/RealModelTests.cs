using Llava.Contracts.Requests;
using Llava.Contracts.States;
using Llava.GpuConsumer.Models;
using Llava.GpuConsumer.Runners;
using Llava.GpuConsumer.Tests.Egress;
using Llava.Hosting.Egress;
using Llava.Ledger.Jobs;
using Llava.Ledger.Workers;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Engine;
using Llava.ModelCore.Models;
using Llava.ModelCore.Scenes;
using Llava.Testing;
using Microsoft.Extensions.Logging.Abstractions;
using TorchSharp;

namespace Llava.GpuConsumer.Tests.Models;

/// <summary>The model that ships, under several names. No other class here touches tensors, so they can be counted.</summary>
public sealed class RealModelTests : IDisposable
{
    private const int Rounds = 5;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("llava-pool-");
    private readonly EngineOptions _engine = new() { MaxSlots = 2, KvCacheBytes = 1 << 20, FeatureCacheBytes = 1 << 20 };

    private readonly GuardedEgress _egress = new(new(), TimeProvider.System);

    public void Dispose()
    {
        _egress.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task The_estimate_is_what_the_tensors_take()
    {
        var estimate = ModelMemory.Estimate(Folder("a"), _engine);
        await using var model = LoadedModel.Load(Folder("a"), _engine);

        Assert.Equal((estimate.Weights, estimate.KvCache, estimate.FeatureCache), (model.Memory.Weights, model.Memory.KvCache, model.Memory.FeatureCache));
        Assert.InRange(estimate.Total, model.Memory.Total, model.Memory.Total + new FileInfo(Path.Combine(Folder("a"), "model.safetensors")).Length);
    }

    [Fact]
    public async Task Loading_and_unloading_in_turn_leaves_no_tensor_behind()
    {
        var bytes = ModelMemory.Estimate(Folder("a"), _engine).Total;
        await using var pool = await PoolAsync(budget: bytes * 3 / 2, "a", "b");
        await AskAsync(pool, "a");
        await AskAsync(pool, "b");
        var (tensors, resident) = (LiveTensors(), Environment.WorkingSet);

        for (var round = 0; round < Rounds; round++)
        {
            await AskAsync(pool, "a");
            await AskAsync(pool, "b");
        }

        var after = LiveTensors();
        Assert.Equal(tensors + (2 * Rounds * NeverCountedBack()), after);
        Assert.InRange(Environment.WorkingSet - resident, long.MinValue, Rounds * ModelMemory.Estimate(Folder("a"), _engine).Weights);
        Assert.Equal([ModelState.Unloaded, ModelState.Loaded], pool.Standings.Select(standing => standing.Served.State));
    }

    /// <summary>TorchSharp counts the tensor that a parameter is made of as live for ever, though its memory is the parameter's and freed with it.</summary>
    private long NeverCountedBack()
    {
        using var checkpoint = CheckpointFolder.Open(Folder("a"));
        var before = LiveTensors();
        new LlavaModel(checkpoint.Config, hasLanguage: false).Dispose();
        return LiveTensors() - before;
    }

    private static long LiveTensors()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return torch.Tensor.TotalCount;
    }

    [Fact]
    public async Task A_model_is_tried_out_with_an_image_before_it_counts_as_loaded()
    {
        await using var pool = await PoolAsync(budget: long.MaxValue, "a");
        await pool.PreloadAsync();

        var trial = Assert.Single(pool.Standings).Trial!;
        using var use = await pool.UseAsync("a");

        Assert.InRange(trial.Usage.CompletionTokens, 1, 4);
        Assert.True(trial.Usage.PromptTokens > 64, $"{trial.Usage.PromptTokens} positions hold no image.");
        Assert.True(trial.Timings!.Value.PrefillMs > 0);
        Assert.Null(use.Runner.FindProblem(TimeSpan.FromMinutes(1)));
    }

    [Fact]
    public async Task A_broken_folder_is_named_with_its_file_and_the_other_model_answers()
    {
        var weights = Path.Combine(Folder("b"), "model.safetensors");
        await File.WriteAllBytesAsync(weights, (await File.ReadAllBytesAsync(weights))[..^1000]);
        await using var pool = await PoolAsync(budget: long.MaxValue, "b", "a");

        await pool.PreloadAsync();

        var (broken, whole) = (pool.Standings[0].Served, pool.Standings[1].Served);
        Assert.Contains("model.safetensors", broken.Failure, StringComparison.Ordinal);
        Assert.Equal((ModelState.Failed, ModelState.Loaded), (broken.State, whole.State));
        await AskAsync(pool, "a");
    }

    [Fact]
    public async Task A_list_of_URLs_is_answered_and_a_bad_one_fails_alone()
    {
        var image = ScenePixels.Png(Scene.FromSeed(Scene.FirstHeldOutSeed, maxObjects: 1), side: 64);
        await using var server = await ImageServer.StartAsync(context =>
        {
            context.Response.StatusCode = context.Request.Path == "/gone.png" ? 404 : 200;
            return ImageServer.SendAsync(context, context.Request.Path == "/text.png" ? "no image"u8.ToArray() : image);
        });
        using GuardedEgress egress = new(new() { Enabled = true, Ports = [server.Port], PrivateNetworks = ["127.0.0.0/8"] }, TimeProvider.System);
        await using Pipeline pipeline = new();
        var list = Path.Combine(pipeline.Folder, "urls.txt");
        await File.WriteAllLinesAsync(list, [server.Url("/a.png", "127.0.0.1"), server.Url("/gone.png", "127.0.0.1"), "http://10.0.0.1/b.png", server.Url("/text.png", "127.0.0.1"), "c.png", server.Url("/d.png", "127.0.0.1")]);
        await pipeline.StartAsync(new EngineItemRunnerFactory(Folder, _engine, new ItemImages(egress), TimeProvider.System, NullLogger<EngineItemRunnerFactory>.Instance), "a");

        JobRequest request = new() { Model = "a", Prompt = "Describe this image.", Source = new() { Kind = SourceKind.Urls, Path = list }, Generation = new() { MaxNewTokens = 16 } };
        var job = (await pipeline.Get<JobSubmission>().SubmitAsync(request)).Id;
        await pipeline.WaitForAsync(job, JobState.Completed);

        var results = await pipeline.ResultsAsync(job);
        Assert.Equal([null, "url_not_found", "url_refused", "image_format_unsupported", "invalid_line", null], results.Select(result => result.Result.Failure?.Code));
        Assert.NotEmpty(results[0].Result.Text!);
        Assert.Equal(results[0].Result.Text, results[5].Result.Text);
    }

    private string Folder(string name)
    {
        var folder = Path.Combine(_folder.FullName, name);
        if (!Directory.Exists(folder))
        {
            var shipped = Repository.Path("models", "llava-scenes");
            foreach (var file in Directory.EnumerateFiles(shipped, "*", SearchOption.AllDirectories))
            {
                var copy = Path.Combine(folder, Path.GetRelativePath(shipped, file));
                Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
                File.Copy(file, copy);
            }
        }

        return folder;
    }

    private async Task<ModelPool> PoolAsync(long budget, params string[] names)
    {
        EngineItemRunnerFactory runners = new(Folder, _engine, new ItemImages(_egress), TimeProvider.System, NullLogger<EngineItemRunnerFactory>.Instance);
        ModelPool pool = new(runners, new() { Models = names, Turn = TimeSpan.Zero }, budget, TimeProvider.System, NullLogger<ModelPool>.Instance);
        await pool.MeasureAsync();
        return pool;
    }

    private async Task AskAsync(ModelPool pool, string model)
    {
        var image = Path.Combine(_folder.FullName, "scene.png");
        await File.WriteAllBytesAsync(image, ScenePixels.Png(Scene.FromSeed(Scene.FirstHeldOutSeed, maxObjects: 1), side: 64));
        using var use = await pool.UseAsync(model);
        JobRequest request = new() { Model = model, Source = new() { Kind = SourceKind.List, Path = image }, Generation = new() { MaxNewTokens = 8 } };
        var answer = await use.Runner.RunAsync(new(new(1), 0, [image], "Describe this image.", request), CancellationToken.None);
        Assert.NotEmpty(answer.Text);
    }
}
