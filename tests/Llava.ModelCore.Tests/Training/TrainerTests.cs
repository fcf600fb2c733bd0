using Llava.ModelCore.Native;
using Llava.ModelCore.Tokenization;
using Llava.ModelCore.Training;
using Llava.ModelCore.Training.Optimizers;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Training;

public sealed class TrainerTests
{
    [Fact]
    public void Training_on_one_batch_learns_it()
    {
        using var model = TinyModel.Create();
        using var trainer = new Trainer(model, TinyModel.Recipe, steps: 40);
        var batch = TinyModel.Batch(3, (9, true), (12, false));

        var losses = Enumerable.Range(0, 40).Select(_ => Step(trainer, batch)).ToList();

        Assert.True(losses[^1] < 0.1 * losses[0], $"from {losses[0]} to {losses[^1]}");
    }

    [Fact]
    public void The_loss_is_the_mean_over_all_targets_of_the_micro_batch_whatever_the_padding()
    {
        using var model = TinyModel.Create();
        using var trainer = new Trainer(model, TinyModel.Recipe, steps: 1);
        var together = TinyModel.Batch(3, (9, true), (24, false), (5, true));
        var apart = Enumerable.Range(0, 3).Select(row => Row(together, row)).Select(batch => trainer.Accumulate([batch])[0]).ToList();

        var loss = trainer.Accumulate([together])[0];

        Assert.Equal(apart.Sum(row => row.Targets), loss.Targets);
        Assert.Equal(apart.Sum(row => row.Value * row.Targets) / loss.Targets, loss.Value, 5);
    }

    [Fact]
    public void Accumulated_gradients_are_the_mean_of_the_micro_batches_gradients()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create();
        using var trainer = new Trainer(model, TinyModel.Recipe, steps: 1);
        var (first, second) = (TinyModel.Batch(3, (9, true)), TinyModel.Batch(4, (12, false), (7, true)));

        var expected = Gradients(trainer, first).add(Gradients(trainer, second), Scalars.One).div(Scalars.Of(2));

        Assert.True(Gradients(trainer, first, second).allclose(expected, rtol: 1e-5, atol: 1e-7));
    }

    [Fact]
    public void Alignment_changes_the_projector_only_and_bears_a_micro_batch_without_images()
    {
        using var scope = NewDisposeScope();
        using var model = TinyModel.Create();
        using var trainer = new Trainer(model, TinyModel.Recipe with { Stage = TrainingStage.Alignment }, steps: 10);
        var before = model.named_parameters().ToDictionary(p => p.name, p => p.parameter.clone());

        Step(trainer, TinyModel.Batch(3, (9, true)), TinyModel.Batch(3, (9, false)));
        Step(trainer, TinyModel.Batch(3, (9, false)));

        foreach (var (name, value) in model.named_parameters())
        {
            Assert.Equal(!name.StartsWith("projector.", StringComparison.Ordinal), value.equal(before[name]).all().item<bool>());
        }
    }

    [Fact]
    public void Instruction_tuning_leaves_the_tower_and_a_frozen_projector_alone()
    {
        using var model = TinyModel.Create();
        var groups = ParameterGroup.For(model, TinyModel.Recipe with { FreezeProjector = true });

        Assert.All(groups.SelectMany(group => group.Parameters), parameter => Assert.StartsWith("language_model.", parameter.Name, StringComparison.Ordinal));
        Assert.All(model.named_parameters().Where(p => !p.name.StartsWith("language_model.", StringComparison.Ordinal)), p => Assert.False(p.parameter.requires_grad));
    }

    [Fact]
    public void A_projector_rate_of_its_own_splits_each_group_and_decay_spares_biases()
    {
        using var model = TinyModel.Create();

        var groups = ParameterGroup.For(model, TinyModel.Recipe with { WeightDecay = 0.1, ProjectorLearningRate = 0.5 });

        Assert.Equal([(1e-2, 0.1), (0.5, 0.1), (0.5, 0)], groups.Select(group => (group.LearningRate, group.WeightDecay)));
        Assert.Contains(groups[0].Parameters, parameter => parameter.Name == "language_model.norm.weight");
        Assert.All(groups[2].Parameters, parameter => Assert.EndsWith(".bias", parameter.Name, StringComparison.Ordinal));
    }

    [Fact]
    public void A_loss_that_is_not_a_number_names_the_step_and_the_samples_and_changes_nothing()
    {
        using var model = TinyModel.Create();
        using var trainer = new Trainer(model, TinyModel.Recipe, steps: 5);
        var batch = TinyModel.Batch(3, (9, true), (9, false));
        batch.Images[0][0] = float.NaN;

        var error = Assert.Throws<TrainingException>(() => trainer.Accumulate([batch]));

        Assert.Contains("step 1 of 5", error.Message, StringComparison.Ordinal);
        Assert.Contains("'row-0'", error.Message, StringComparison.Ordinal);
        Assert.Equal(0, trainer.Optimizer.GradientNorm());
    }

    [Fact]
    public void A_micro_batch_without_targets_names_its_samples()
    {
        using var model = TinyModel.Create();
        using var trainer = new Trainer(model, TinyModel.Recipe, steps: 5);
        var batch = TinyModel.Batch(3, (9, true));
        Array.Fill(batch.Labels, TrainingExample.Ignored);

        Assert.Contains("'row-0'", Assert.Throws<TrainingException>(() => trainer.Accumulate([batch])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_placeholder_without_its_own_image_is_refused_by_name()
    {
        using var model = TinyModel.Create();
        using var trainer = new Trainer(model, TinyModel.Recipe, steps: 5);
        var twice = TinyModel.Batch(3, (9, true));
        twice.Ids[3] = ImagePlaceholder.TokenId;
        var text = TinyModel.Batch(3, (9, false));
        text.Ids[3] = ImagePlaceholder.TokenId;

        Assert.Contains("'row-0'", Assert.Throws<TrainingException>(() => trainer.Accumulate([twice])).Message, StringComparison.Ordinal);
        Assert.Contains("'row-0'", Assert.Throws<TrainingException>(() => trainer.Accumulate([text])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_row_whose_placeholder_was_cut_off_is_a_text_row()
    {
        using var model = TinyModel.Create();
        using var trainer = new Trainer(model, TinyModel.Recipe, steps: 5);
        var text = TinyModel.Batch(3, (9, false));
        var cut = text with { Samples = [text.Samples[0] with { Image = "image.png" }] };

        Assert.Equal(trainer.Accumulate([text]), trainer.Accumulate([cut]));
    }

    [Fact]
    public void Bfloat16_products_keep_float32_weights_and_follow_the_float32_loss()
    {
        using var model = TinyModel.Create();
        var batch = TinyModel.Batch(3, (9, true), (12, false));
        using var exact = new Trainer(model, TinyModel.Recipe, steps: 1);
        var expected = exact.Accumulate([batch])[0].Value;
        using var trainer = new Trainer(model, TinyModel.Recipe with { Precision = TrainingPrecision.Bf16 }, steps: 1);

        var loss = trainer.Accumulate([batch])[0].Value;

        Assert.NotEqual(expected, loss);
        Assert.Equal(expected, loss, 0.05 * expected);
        Assert.All(trainer.Optimizer.Parameters, parameter => Assert.Equal(ScalarType.Float32, parameter.Value.dtype));
    }

    [Fact]
    public void Steps_leave_no_tensor_behind()
    {
        using var model = TinyModel.Create();
        using var trainer = new Trainer(model, TinyModel.Recipe with { Clip = 0.1 }, steps: 20);
        var batch = TinyModel.Batch(3, (9, true), (12, false));
        Step(trainer, batch);
        var before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;

        for (var i = 0; i < 10; i++)
        {
            Step(trainer, batch);
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);
    }

    private static double Step(Trainer trainer, params TrainingBatch[] batches)
    {
        var losses = trainer.Accumulate(batches);
        trainer.Update();
        return losses.Average(loss => loss.Value);
    }

    private static Tensor Gradients(Trainer trainer, params TrainingBatch[] batches)
    {
        trainer.Accumulate(batches);
        return cat([.. trainer.Optimizer.Parameters.Select(parameter => parameter.Value.grad!.flatten())]).clone();
    }

    private static TrainingBatch Row(TrainingBatch batch, int row) => batch with
    {
        Samples = [batch.Samples[row]],
        Ids = batch.Ids[(row * batch.Length)..((row + 1) * batch.Length)],
        Labels = batch.Labels[(row * batch.Length)..((row + 1) * batch.Length)],
        Mask = batch.Mask[(row * batch.Length)..((row + 1) * batch.Length)],
        Images = [batch.Images[row]],
    };
}
