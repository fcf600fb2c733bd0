using System.Text;
using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using Llava.ModelCore.Native;
using Llava.ModelCore.Native.Cuda;
using Llava.ModelCore.Tests.Kernels.Cuda;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Optimizers;
using Llava.ModelCore.Training.Speed;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Training;

/// <summary>What is computed otherwise on CUDA, against the form that computes it on the CPU.</summary>
public sealed class DeviceTrainingTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Libtorchs_own_AdamW_follows_ours_to_rounding()
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        var (one, other) = (Groups(), Groups());
        using AdamW expected = new(one);
        using FusedAdamW actual = new(other);

        for (var step = 0; step < 5; step++)
        {
            foreach (var (i, parameter) in one.SelectMany(group => group.Parameters).Index())
            {
                // The last never has a gradient.
                parameter.Value.grad = i == 3 ? null : randn_like(parameter.Value);
                other.SelectMany(group => group.Parameters).ElementAt(i).Value.grad = parameter.Value.grad?.clone();
            }

            expected.Step(0.5);
            actual.Step(0.5);
        }

        Assert.All(expected.Parameters.Zip(actual.Parameters), pair => Assert.True(pair.First.Value.allclose(pair.Second.Value, 1e-5, 1e-6), pair.First.Name));
        Assert.All(expected.State.Zip(actual.State), pair => Assert.True(pair.First.Value.allclose(pair.Second.Value, 1e-5, 1e-7), pair.First.Name));
        Assert.All(actual.Parameters.Zip(Groups().SelectMany(group => group.Parameters)), pair => Assert.False(pair.First.Value.allclose(pair.Second.Value)));

        static IReadOnlyList<ParameterGroup> Groups() =>
        [
            new([Parameter("a", 7, 5), Parameter("b", 300)], 0.1, 0.3),
            new([Parameter("c", 3), Parameter("d", 4, 4)], 0.01, 0.5),
        ];

        static TrainableParameter Parameter(string name, params long[] shape) => new(name, nn.Parameter(randn(shape, generator: new Generator((ulong)name[0]))));
    }

    [Fact]
    public void The_norm_in_one_operator_is_the_norm_forward_and_backward()
    {
        using var scope = NewDisposeScope();
        RmsNorm norm = new(48, 1e-5);
        norm.parameters().First().detach().uniform_(0.5, 1.5);
        var one = randn([6, 48]).requires_grad_();
        var other = one.detach().clone().requires_grad_();
        var weights = randn([6, 48]);

        norm.call(one).mul(weights).sum().backward();
        var expected = norm.parameters().First().grad!.clone();
        norm.zero_grad();
        var output = norm.AtOnce(other);
        output.mul(weights).sum().backward();

        Assert.True(output.allclose(norm.call(one), 1e-5, 1e-6));
        Assert.True(other.grad!.allclose(one.grad!, 1e-4, 1e-5));
        Assert.True(norm.parameters().First().grad!.allclose(expected, 1e-4, 1e-5));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Attention_by_offsets_gives_the_losses_and_gradients_of_padded_rows(int recomputed)
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create();
        using var trainer = new Trainer(model, TinyModel.Recipe, steps: 1);
        var batch = TinyModel.Batch(3, (9, true), (24, false), (5, true));
        var loss = new PlainAutograd(model).Accumulate(batch, 0.5);
        var expected = trainer.Optimizer.Parameters.Select(parameter => parameter.Value.grad!.clone()).ToList();
        trainer.Optimizer.DropGradients();
        List<string> seen = [];

        var measured = new LayerwisePass(model, recomputed, attend: (lengths, device) => new FlashPackedAttention(lengths, device, SequenceBySequence)).Accumulate(batch, 0.5);

        Assert.Equal(loss, measured.Value, 1e-5);
        Assert.All(trainer.Optimizer.Parameters.Zip(expected), pair => Assert.True(pair.First.Value.grad!.allclose(pair.Second, 1e-4, 1e-6), pair.First.Name));
        // An image of four features stands where its placeholder was.
        Assert.Equal(2 + recomputed, seen.Count);
        Assert.All(seen, call => Assert.Equal("0, 12, 36, 44; 24", call));

        Tensor SequenceBySequence(Tensor query, Tensor key, Tensor value, Tensor offsets, int longest)
        {
            Assert.Equal(ScalarType.Int32, offsets.dtype);
            var starts = offsets.data<int>().ToArray();
            seen.Add($"{string.Join(", ", starts)}; {longest}");
            var groups = query.shape[1] / key.shape[1];
            return cat([.. starts.Zip(starts.Skip(1)).Select(span => nn.functional.scaled_dot_product_attention(
                Of(query, span, 1), Of(key, span, groups), Of(value, span, groups), is_casual: true).squeeze(0).transpose(0, 1))], 0);
        }

        static Tensor Of(Tensor packed, (int Start, int End) span, long groups) =>
            packed.narrow(0, span.Start, span.End - span.Start).transpose(0, 1).unsqueeze(0).repeat_interleave(groups, 1);
    }

    [Fact]
    public void Flash_attention_is_for_CUDA_bfloat16_and_heads_that_it_has()
    {
        var config = WideConfig(128);
        Assert.True(FlashPackedAttention.Fits(config, DeviceType.CUDA, ScalarType.BFloat16));
        Assert.False(FlashPackedAttention.Fits(config, DeviceType.CPU, ScalarType.BFloat16));
        Assert.False(FlashPackedAttention.Fits(config, DeviceType.CUDA, ScalarType.Float32));
        Assert.False(FlashPackedAttention.Fits(WideConfig(12), DeviceType.CUDA, ScalarType.BFloat16));
        Assert.False(FlashPackedAttention.Fits(config with { Mpt = new() }, DeviceType.CUDA, ScalarType.BFloat16));
        Assert.IsType<PackedAttention>(PackedAttention.For(config, [3, 2], CPU, ScalarType.BFloat16));

        static LanguageModelConfig WideConfig(int size) => new() { VocabularySize = 8, HiddenSize = 4 * size, IntermediateSize = 8, Layers = 1, Heads = 4, KeyValueHeads = 2 };
    }

    /// <summary>An operator takes its arguments off a stack by number; none of the kind can be tried where there is no device, but libtorch has its schema.</summary>
    [Fact]
    public void Arguments_of_flash_attention_are_built_for_the_schema_of_this_libtorch()
    {
        const string Schema = "_flash_attention_forward(Tensor query, Tensor key, Tensor value, Tensor? cum_seq_q, Tensor? cum_seq_k, SymInt max_q, SymInt max_k, float dropout_p, bool is_causal, bool return_debug_mask, *, "
            + "float? scale=None, SymInt? window_size_left=None, SymInt? window_size_right=None, Tensor? seqused_k=None, Tensor? alibi_slopes=None) -> "
            + "(Tensor output, Tensor softmax_logsumexp, Tensor rng_state, Tensor unused, Tensor debug_attn_mask)\0";

        Assert.True(Contains(TorchLibrary.EnsureLoaded().Files.Single(file => Path.GetFileName(file) == "libtorch_cpu.so"), Encoding.ASCII.GetBytes(Schema)));

        static bool Contains(string file, byte[] text)
        {
            using var stream = File.OpenRead(file);
            var window = new byte[(16 << 20) + text.Length];
            for (int kept = 0, read; (read = stream.ReadAtLeast(window.AsSpan(kept), window.Length - kept, throwOnEndOfStream: false)) > 0; kept = Math.Min(text.Length, kept + read))
            {
                if (window.AsSpan(0, kept + read).IndexOf(text) >= 0)
                {
                    return true;
                }

                window.AsSpan(kept + read - Math.Min(text.Length, kept + read), Math.Min(text.Length, kept + read)).CopyTo(window);
            }

            return false;
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Frozen_weights_in_bfloat16_train_to_the_very_same_numbers(bool isAlignment)
    {
        var recipe = TinyModel.Recipe with
        {
            Precision = TrainingPrecision.Bf16,
            Stage = isAlignment ? TrainingStage.Alignment : TrainingStage.InstructionTuning,
            Lora = isAlignment ? null : new() { Rank = 2, Alpha = 4, Dropout = 0.1 },
        };

        Assert.Equal(Trained(isRounded: false), Trained(isRounded: true));

        string Trained(bool isRounded)
        {
            using var model = TinyModel.Create();
            if (recipe.Lora is { } lora)
            {
                LoraSetup.Attach(model, recipe, lora, LayerPlacement.On(model.Config, CPU));
            }

            if (isRounded)
            {
                FrozenWeights.Round(model, recipe);
                Assert.Contains(model.named_parameters(), p => p.name == "language_model.lm_head.weight" && p.parameter.dtype == ScalarType.BFloat16);
                Assert.Contains(model.named_parameters(), p => p.name == "vision_tower.layers.0.mlp.fc1.weight" && p.parameter.dtype == ScalarType.BFloat16);
                Assert.All(model.named_parameters().Where(p => p.parameter.dtype != ScalarType.Float32), p => Assert.False(ParameterGroup.IsTrained(p.name, recipe)));
            }

            using Trainer trainer = new(model, recipe, steps: 9);
            var losses = Enumerable.Range(0, 2).Select(step => trainer.Step([TinyModel.Batch(step, (9, true), (12, false))]).Losses[0].Value).ToList();
            return string.Join(' ', [.. losses.Select(loss => $"{loss:R}"), .. trainer.Optimizer.Parameters.SelectMany(parameter => parameter.Value.flatten().data<float>().ToArray()).Select(value => $"{value:R}")]);
        }
    }

    [Fact]
    public void A_device_is_looked_at_before_anything_is_read()
    {
        File.WriteAllText(_folder.File("data.json"), "[]");
        // An empty folder: whoever opened it would say that it holds no checkpoint.
        TrainingRecipe recipe = new() { Stage = TrainingStage.InstructionTuning, Base = Directory.CreateDirectory(_folder.File("base")).FullName, Data = _folder.File("data.json"), Template = "v1", LearningRate = 1e-5, Device = "cuda:7" };

        var refused = Assert.ThrowsAny<LlavaException>(() => TrainingRun.Start(recipe, _folder.File("out")));

        Assert.EndsWith("or use the CPU.", refused.Message, StringComparison.Ordinal);
        Assert.IsType<CheckpointException>(Assert.ThrowsAny<LlavaException>(() => TrainingRun.Start(recipe with { Device = "cpu" }, _folder.File("out"))), exactMatch: false);
    }

    [Fact]
    public void What_a_device_lacks_is_one_sentence_with_what_to_do()
    {
        Assert.StartsWith("There is no NVIDIA driver here", Refused<CudaException>("libcuda-of-nowhere.so", 0), StringComparison.Ordinal);
        Assert.StartsWith("There is no device 'cuda:5': the driver shows 1.", Refused<CudaException>(EmulatedDevice.Library, 5), StringComparison.Ordinal);
        Assert.Contains("is for the CPU. Set LLAVA_LIBTORCH", Refused<TorchLibraryException>(EmulatedDevice.Library, 0), StringComparison.Ordinal);

        static string Refused<T>(string driver, int ordinal)
            where T : Exception => Assert.Throws<T>(() => UsableDevice.Open(ordinal, driver, TorchLibrary.EnsureLoaded())).Message;
    }

    [Fact]
    public void A_run_may_take_what_is_free_on_its_devices_but_for_what_libtorch_keeps()
    {
        Func<int, CudaDevice> open = ordinal => new(CudaDriver.Open(EmulatedDevice.Library), ordinal);
        // The emulated device has 3 GiB free.
        var expected = (2L << 30) * 19 / 20;

        Assert.Null(TrainingDevices.FreeBytes(TinyModel.Recipe, _ => throw new InvalidOperationException("No device was to be opened.")));
        Assert.Equal(expected, TrainingDevices.FreeBytes(TinyModel.Recipe with { Device = "cuda" }, open)!.Value, 1.0);
        Assert.Equal(expected, TrainingDevices.FreeBytes(TinyModel.Recipe with { Device = "cuda:0", LayerDevices = ["cuda:0", "cpu", "cuda:0"] }, open)!.Value, 1.0);
    }
}
