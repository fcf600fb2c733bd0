using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>One checkpoint of a model case (letters A, B, C, D) with the case's expectations; found by content, not by name.</summary>
internal sealed class ModelCase : IDisposable
{
    /// <summary>Of the manifests: "logits/hidden/embeds atol 1e-4; greedy ids must be equal".</summary>
    public const double Tolerance = 1e-4;

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly IDisposable _inference = inference_mode();

    static ModelCase()
    {
        TorchLibrary.EnsureLoaded();
        // Models this small only lose time by waiting for threads.
        set_num_threads(1);
    }

    public ModelCase(string folder, string checkpoint, CheckpointOptions? options = null)
    {
        Expected = SafeTensorsFile.Open(Path.Combine(folder, "expected.safetensors"));
        Checkpoint = CheckpointFolder.Open(Path.Combine(folder, checkpoint), options);
        Model = LlavaModelLoader.Load(Checkpoint);
        Prompts = [.. FixtureFolder.Json(folder, "prompts.json").EnumerateArray().Select(p => p.GetProperty("name").GetString()!)];
    }

    public SafeTensorsFile Expected { get; }

    public CheckpointFolder Checkpoint { get; }

    public LlavaModel Model { get; }

    public IReadOnlyList<string> Prompts { get; }

    public bool IsHf => Checkpoint.Layout is CheckpointLayout.HfOld or CheckpointLayout.HfNew;

    /// <summary>Case folder and checkpoint folder of every checkpoint that a test can be asked of.</summary>
    public static TheoryData<string, string> Where(Func<ModelCase, bool> applies)
    {
        var all = new TheoryData<string, string>();
        foreach (var folder in ((string[])["A", "B", "C", "D"]).SelectMany(FixtureFolder.Cases))
        {
            foreach (var checkpoint in Directory.EnumerateDirectories(folder).Where(sub => File.Exists(Path.Combine(sub, "config.json"))))
            {
                using var model = new ModelCase(folder, checkpoint);
                if (applies(model))
                {
                    all.Add(folder, Path.GetFileName(checkpoint));
                }
            }
        }

        return all;
    }

    /// <summary>Names of a prompt's tensors that start so, with what follows.</summary>
    public IEnumerable<(string Name, int Index)> Numbered(string start) => Expected.Entries
        .Where(e => e.Name.StartsWith(start, StringComparison.Ordinal))
        .Select(e => (e.Name, int.Parse(e.Name[start.Length..], null)));

    public int[] Ids(string prompt) => Expected.ReadArray<int>($"{prompt}.input_ids");

    public Tensor? Pixels(string prompt) =>
        Expected.Contains($"{prompt}.pixel_values") ? Expected.Read($"{prompt}.pixel_values") : null;

    public SplicedSequence Embed(string prompt, IEnumerable<int>? generated = null, int[]? ids = null)
    {
        var images = Pixels(prompt) is { } pixels ? Model.EncodeImages(pixels).unbind(0) : [];
        return new PromptEmbedder(Model.Language).Embed([.. ids ?? Ids(prompt), .. generated ?? []], images);
    }

    /// <summary>Final hidden states of one sequence, (positions, hidden).</summary>
    public Tensor Run(SplicedSequence sequence, Action<int, Tensor>? observe = null)
    {
        var attention = PaddedAttention.Causal(Checkpoint.Config.LanguageModel, ones(1, sequence.Length, dtype: ScalarType.Bool));
        return Model.Language.Forward(sequence.Embeddings, arange(Scalars.OfInteger(sequence.Length), ScalarType.Int64), sequence.Length, attention, observe);
    }

    public void RequireClose(string name, Tensor actual) => Close.Require(name, Expected.Read(name), actual, Tolerance);

    public void Dispose()
    {
        Model.Dispose();
        Checkpoint.Dispose();
        Expected.Dispose();
        _inference.Dispose();
        _scope.Dispose();
    }
}
