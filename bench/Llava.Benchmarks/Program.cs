using System.CommandLine;
using Llava.Benchmarks.Large;
using Llava.Benchmarks.Memory;
using Llava.Benchmarks.Model;
using Llava.Benchmarks.Operators;
using Llava.Benchmarks.Queue;
using Llava.Benchmarks.Streams;
using Llava.Benchmarks.Training;

var items = new Option<int>("--items") { Description = "Items of the job." };
var rounds = new Option<int>("--rounds") { Description = "Rounds of which the median counts.", DefaultValueFactory = _ => 3 };

var queue = new Command("queue", "The pipeline with a model that does nothing: in one process, and on RabbitMQ and PostgreSQL beside what those two do alone.") { items, rounds };
queue.SetAction((typed, cancellation) => QueueComparison.RunAsync(typed.GetValue(items) is var n and > 0 ? n : 200_000, typed.GetValue(rounds), cancellation));

var large = new Command("large", "A job of a million items and a small one of another tenant, in real processes on RabbitMQ and PostgreSQL.") { items };
large.SetAction((typed, cancellation) => LargeJob.RunAsync(typed.GetValue(items) is var n and > 0 ? n : 1_000_000, cancellation));

var overhead = new Command("overhead", "The model that ships, asked directly and as a job.") { items, rounds };
overhead.SetAction((typed, cancellation) => ServiceOverhead.RunAsync(typed.GetValue(items) is var n and > 0 ? n : 300, typed.GetValue(rounds), cancellation));

var questions = new Command("questions", "Ten questions about each image against one.") { items };
questions.SetAction((typed, cancellation) => QuestionsPerImage.RunAsync(typed.GetValue(items) is var n and > 0 ? n : 500, cancellation));

var forms = new Command("forms", "Answers held to a form, against free ones.") { items, rounds };
forms.SetAction((typed, cancellation) => BoundAnswers.RunAsync(Llava.Testing.Repository.Path("models", "llava-scenes"), typed.GetValue(items) is var n and > 0 ? n : 64, typed.GetValue(rounds), cancellation));

var readers = new Option<int>("--streams") { Description = "Streams that are open at the same time.", DefaultValueFactory = _ => 200 };
var streams = new Command("streams", "What open streams of events cost a dashboard.") { readers };
streams.SetAction((typed, cancellation) => OpenStreams.RunAsync(typed.GetValue(readers), cancellation));

var folder = new Argument<DirectoryInfo>("folder") { Description = "The checkpoint's; about 5 GB." };
var tokens = new Option<int>("--tokens") { Description = "Tokens of an answer.", DefaultValueFactory = _ => 16 };
var write = new Command("write", "Write the checkpoint.") { folder };
write.SetAction(typed => LargeModel.Write(typed.GetValue(folder)!));
var measure = new Command("measure", "Open it and ask about images.") { folder, tokens, rounds };
measure.SetAction(typed => LargeModel.MeasureAsync(typed.GetValue(folder)!, typed.GetValue(tokens), typed.GetValue(rounds)));
var largeModel = new Command("large-model", "LLaVA-1.5 of 7 billion random parameters in four bits: opening, memory, time of an image and of a token.") { write, measure };

var rows = new Option<int>("--rows") { Description = "Rows to learn from.", DefaultValueFactory = _ => 16_000 };
var scenes = new Option<int>("--scenes") { Description = "Held-out scenes to ask about, each in every kind of question.", DefaultValueFactory = _ => 400 };
var epochs = new Option<int>("--epochs") { Description = "Passes over the rows.", DefaultValueFactory = _ => 1 };
var rate = new Option<double>("--learning-rate") { Description = "Highest learning rate.", DefaultValueFactory = _ => 7e-4 };
var taught = new Command("taught", "The model that ships is taught a shape through the queue and takes over a name.") { rows, scenes, epochs, rate };
taught.SetAction((typed, cancellation) => TaughtShape.RunAsync(typed.GetValue(rows), typed.GetValue(scenes), typed.GetValue(epochs), typed.GetValue(rate), cancellation));

var operators = new Command("operators", "What the host pays for one operator: TorchSharp beside libtorch's stable interface.") { rounds };
operators.SetAction(typed => OperatorCost.Run(typed.GetValue(rounds)));

return await new RootCommand("Figures of Llava.Batch on this machine, as lines of JSON.") { queue, large, overhead, questions, forms, streams, largeModel, taught, operators }.Parse(args).InvokeAsync();

