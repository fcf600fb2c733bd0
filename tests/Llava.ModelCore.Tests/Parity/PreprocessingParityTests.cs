using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Native;
using Llava.ModelCore.Training;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>Samples and micro-batches equal those of upstream's dataset and collator (case G).</summary>
public sealed class PreprocessingParityTests : IDisposable
{
    private const double PixelTolerance = 1e-6;

    private readonly DisposeScope _scope;
    private readonly SafeTensorsFile _expected;

    public PreprocessingParityTests()
    {
        TorchLibrary.EnsureLoaded();
        _scope = NewDisposeScope();
        _expected = SafeTensorsFile.Open(TrainingCase.At("expected_preprocess.safetensors"));
    }

    public static TheoryData<string> Setups => TrainingCase.Setups();

    public void Dispose()
    {
        _expected.Dispose();
        _scope.Dispose();
    }

    [Theory]
    [MemberData(nameof(Setups))]
    public void Ids_labels_and_pixels_of_every_sample_are_upstreams(string name)
    {
        var setup = TrainingCase.Setup(name);
        var data = InstructionDataset.Load(TrainingCase.At(setup.Text("data")));
        var processor = TrainingCase.Processor(setup);
        var images = TrainingCase.Images(TrainingCase.Aspect(setup.Text("image_aspect_ratio")));

        Assert.Equal(setup.GetProperty("pad_token_id").GetInt32(), processor.PadId);
        foreach (var described in setup.GetProperty("samples").EnumerateArray())
        {
            var index = described.GetProperty("index").GetInt32();
            var example = processor.Process(data.Samples[index]);

            Assert.True(Array("input_ids").SequenceEqual(example.Ids), $"{name}, sample {index}: ids differ.");
            Assert.True(Array("labels").SequenceEqual(example.Labels), $"{name}, sample {index}: labels differ.");
            if (_expected.Contains($"{name}.s{index}.image"))
            {
                var pixels = images.Load(data.Samples[index]);
                Close.Require($"{name}, image {index}", _expected.Read($"{name}.s{index}.image"), tensor(pixels).view(3, images.Side, images.Side), PixelTolerance);
            }

            int[] Array(string kind) => _expected.ReadArray<int>($"{name}.s{index}.{kind}");
        }
    }

    [Theory]
    [MemberData(nameof(Setups))]
    public void Micro_batches_are_padded_cut_and_masked_as_upstreams(string name)
    {
        var setup = TrainingCase.Setup(name);
        var data = InstructionDataset.Load(TrainingCase.At(setup.Text("data")));
        var processor = TrainingCase.Processor(setup);
        var number = 0;
        foreach (var batch in setup.GetProperty("batches").EnumerateArray())
        {
            var collated = processor.Collate([.. batch.EnumerateArray().Select(index => processor.Process(data.Samples[index.GetInt32()]))], [], 0);
            var prefix = $"{name}.batch{number++}.";

            Assert.Equal([collated.Samples.Count, collated.Length], _expected.Entry(prefix + "input_ids").Shape);
            Assert.True(_expected.ReadArray<int>(prefix + "input_ids").SequenceEqual(collated.Ids), prefix + "input_ids");
            Assert.True(_expected.ReadArray<int>(prefix + "labels").SequenceEqual(collated.Labels), prefix + "labels");
            Assert.True(_expected.ReadArray<byte>(prefix + "attention_mask").Select(x => x != 0).SequenceEqual(collated.Mask), prefix + "attention_mask");
        }

        Assert.NotEqual(0, number);
    }

    /// <summary>Without a case for it the theories above would pass on an empty set.</summary>
    [Fact]
    public void The_case_has_set_ups() => Assert.NotEmpty(Setups);
}
