using Llava.ModelCore.Checkpoints;
using Llava.ModelCore.Models;
using Llava.ModelCore.Tests.Checkpoints;
using Llava.ModelCore.Tokenization;
using TorchSharp;
using static TorchSharp.torch;

namespace Llava.ModelCore.Tests.Parity;

/// <summary>The reference model against the original implementation, over every checkpoint layout of the model cases.</summary>
public sealed class ModelParityTests
{
    public static TheoryData<string, string> Checkpoints => ModelCase.Where(_ => true);

    /// <summary>Those whose case has a padded batch.</summary>
    public static TheoryData<string, string> Batched => ModelCase.Where(model => model.Expected.Contains("batch.input_ids"));

    /// <summary>Those in a llava-hf layout.</summary>
    public static TheoryData<string, string> HuggingFace => ModelCase.Where(model => model.IsHf);

    [Theory, MemberData(nameof(Checkpoints))]
    public void Image_features_are_those_of_the_original(string folder, string checkpoint)
    {
        using var model = new ModelCase(folder, checkpoint);
        foreach (var prompt in model.Prompts.Where(p => model.Pixels(p) is not null))
        {
            var states = new Dictionary<int, Tensor>();
            var features = model.Model.Vision.Observed(model.Pixels(prompt)!, states.Add);
            foreach (var (name, layer) in model.Numbered($"{prompt}.vision.hidden_states.").Where(s => s.Index <= model.Checkpoint.Config.Vision!.LayersUsed))
            {
                model.RequireClose(name, states[layer]);
            }

            model.RequireClose($"{prompt}.vision.selected_features", features);
            model.RequireClose($"{prompt}.projected", model.Model.Projector.call(features));
        }
    }

    [Theory, MemberData(nameof(Checkpoints))]
    public void A_checkpoint_that_selects_the_towers_last_layer_computes_it(string folder, string checkpoint)
    {
        // The published selection leaves the last layer out; this one asks for it.
        using var copy = new TemporaryFolder().With(Path.Combine(folder, checkpoint));
        using var original = CheckpointFolder.Open(Path.Combine(folder, checkpoint));
        copy.Edit("config.json", json => json[json.ContainsKey("vision_config") ? "vision_feature_layer" : "mm_vision_select_layer"] = -1);
        using var model = new ModelCase(folder, copy.Path, new CheckpointOptions { VisionTowerFolder = original.VisionTowerFolder });
        foreach (var prompt in model.Prompts)
        {
            var states = new Dictionary<int, Tensor>();
            foreach (var (name, layer) in model.Numbered($"{prompt}.vision.hidden_states."))
            {
                _ = states.Count > 0 ? null : model.Model.Vision.Observed(model.Pixels(prompt)!, states.Add);
                model.RequireClose(name, states[layer]);
            }
        }
    }

    [Theory, MemberData(nameof(Checkpoints))]
    public void Prompts_give_the_embeddings_hidden_states_and_logits_of_the_original(string folder, string checkpoint)
    {
        using var model = new ModelCase(folder, checkpoint);
        foreach (var prompt in model.Prompts)
        {
            var sequence = model.Embed(prompt);
            var states = new Dictionary<int, Tensor>();
            var final = model.Run(sequence, (layer, hidden) => states[layer + 1] = hidden);
            // The original's last hidden state is the one after the final norm.
            states[states.Count] = final;
            var logits = model.Model.Language.Logits(final);
            var checks = new List<(string Name, Tensor Actual)>
            {
                ($"{prompt}.inputs_embeds", sequence.Embeddings),
                ($"{prompt}.logits", Words(model, $"{prompt}.logits", logits)),
                ($"{prompt}.logits_last4", Words(model, $"{prompt}.logits_last4", Last(logits, 4))),
            };
            checks.AddRange(model.Numbered($"{prompt}.lm.hidden_states.").Select(s => (s.Name, states[s.Index])));
            var present = checks.Where(c => model.Expected.Contains(c.Name)).ToList();
            Assert.NotEmpty(present);
            present.ForEach(c => model.RequireClose(c.Name, c.Actual));
        }
    }

    [Theory, MemberData(nameof(Checkpoints))]
    public void Greedy_answers_are_those_of_the_original(string folder, string checkpoint)
    {
        using var model = new ModelCase(folder, checkpoint);
        foreach (var prompt in model.Prompts)
        {
            var expected = model.Expected.ReadArray<int>($"{prompt}.greedy_ids");
            var generated = new List<int>();
            var scores = new List<Tensor>();
            while (generated.Count < expected.Length)
            {
                var logits = model.Model.Language.Logits(Last(model.Run(model.Embed(prompt, generated)), 1));
                scores.Add(logits);
                generated.Add((int)logits.narrow(1, 0, model.Checkpoint.GeneratableVocabulary).argmax().item<long>());
            }

            Assert.Equal(expected, generated);
            var name = $"{prompt}.greedy_step_logits";
            if (model.Expected.Contains(name))
            {
                model.RequireClose(name, Words(model, name, cat(scores, 0)));
            }
        }
    }

    [Theory, MemberData(nameof(Batched))]
    public void A_padded_batch_gives_each_row_its_own_logits(string folder, string checkpoint)
    {
        using var model = new ModelCase(folder, checkpoint);
        var mask = model.Expected.Read("batch.attention_mask");
        var rows = model.Expected.Read("batch.input_ids").unbind(0).Zip(mask.unbind(0))
            .Select(row => row.First.masked_select(row.Second.to(ScalarType.Bool)).data<int>().ToArray()).ToList();
        // A row is the prompt with the same ids.
        var sequences = rows.Select(ids => model.Embed(model.Prompts.First(p => model.Ids(p).SequenceEqual(ids)))).ToList();
        foreach (var side in (PaddingSide[])[PaddingSide.Right, PaddingSide.Left])
        {
            var batch = SplicedBatch.Pad(sequences, side);
            if (side == PaddingSide.Right)
            {
                Close.Require("batch.expanded_attention_mask", model.Expected.Read("batch.expanded_attention_mask"), batch.IsToken.to(ScalarType.Byte), 0);
            }

            var hidden = batch.Run(model.Model.Language);
            for (var row = 0; row < sequences.Count; row++)
            {
                var name = $"batch.row{row}.logits_last4_valid";
                var end = side == PaddingSide.Right ? sequences[row].Length : hidden.shape[1];
                var logits = model.Model.Language.Logits(hidden[row].narrow(0, end - 4, 4));
                model.RequireClose(name, Words(model, name, logits));
            }
        }
    }

    [Theory, MemberData(nameof(HuggingFace))]
    public void Image_tokens_of_the_hf_layouts_stand_for_our_placeholder(string folder, string checkpoint)
    {
        using var model = new ModelCase(folder, checkpoint);
        var (features, image) = (model.Checkpoint.Config.Vision!.Features, model.Checkpoint.ImageTokenId!.Value);
        Assert.Equal(image, model.Checkpoint.GeneratableVocabulary);
        foreach (var prompt in model.Prompts)
        {
            var unexpanded = model.Expected.ReadArray<int>($"hf.{prompt}.input_ids_unexpanded");
            Assert.Equal(model.Ids(prompt), unexpanded.Select(id => id == image ? ImagePlaceholder.TokenId : id));
            var expanded = model.Expected.ReadArray<int>($"hf.{prompt}.input_ids_expanded");
            Assert.Equal(expanded, unexpanded.SelectMany(id => Enumerable.Repeat(id, id == image ? features : 1)));

            var sequence = model.Embed(prompt);
            Assert.Equal(expanded.Length, sequence.Length);
            Assert.All(sequence.Images, span => Assert.All(expanded[span.Start..(span.Start + span.Length)], id => Assert.Equal(image, id)));

            var name = $"hf.{prompt}.logits_extra_vocab_last4";
            var logits = model.Model.Language.Logits(Last(model.Run(sequence), 4));
            model.RequireClose(name, logits.narrow(1, logits.shape[1] - model.Expected.Entry(name).Shape[1], model.Expected.Entry(name).Shape[1]));
        }
    }

    private static Tensor Last(Tensor rows, long count) => rows.narrow(0, rows.shape[0] - count, count);

    /// <summary>The columns the original has: llava-hf checkpoints have more rows in their vocabulary.</summary>
    private static Tensor Words(ModelCase model, string name, Tensor logits) =>
        model.Expected.Contains(name) ? logits.narrow(1, 0, model.Expected.Entry(name).Shape[1]) : logits;
}
