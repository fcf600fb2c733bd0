using System.Globalization;
using System.Text.Json.Nodes;
using Llava.Cli.Service;
using Llava.GpuConsumer;
using Llava.GpuConsumer.Training;
using Llava.Hosting.Interactive;
using Llava.Hosting.Transport;
using Llava.Ledger;
using Llava.Ledger.Files;
using Llava.ModelCore.Engine;
using Llava.Scheduler;
using Llava.Testing;
using Microsoft.Extensions.Configuration;
using NJsonSchema;

namespace Llava.ComposeTests;

/// <summary>No Docker reads these files here, so that everything it would refuse is looked for.</summary>
public sealed class ComposeFileTests
{
    private static readonly string[] Ours = ["scheduler", "consumer", "dashboard"];
    private static readonly ComposeFile File = ComposeFile.Load("compose.yaml");

    /// <summary>All that our processes may write to besides <c>/tmp</c>.</summary>
    private static readonly Dictionary<string, string[]> Writable = new()
    {
        ["scheduler"] = ["files:/files"],
        ["consumer"] = ["files:/files", "trained:/trained"],
        ["dashboard"] = ["files:/files", "pages:/pages"],
    };

    public static TheoryData<string> Files => ["compose.yaml", "compose.gpu.yaml"];

    public static TheoryData<string> Services => [.. File.Services.Select(service => service.Key)];

    [Theory]
    [MemberData(nameof(Files))]
    public async Task A_file_keeps_to_the_schema_of_the_specification(string name) =>
        Assert.Empty((await SchemaAsync()).Validate(ComposeFile.Load(name).Root.ToJsonString()).Select(error => error.ToString()));

    [Fact]
    public async Task The_schema_finds_what_no_Compose_file_may_say()
    {
        var broken = ComposeFile.Load("compose.yaml");
        broken.Services["scheduler"]!.AsObject()["restarts"] = "always";

        Assert.NotEmpty((await SchemaAsync()).Validate(broken.Root.ToJsonString()));
    }

    [Fact]
    public void Every_setting_binds_to_an_option_that_exists() => Assert.All(Ours, service =>
    {
        var settings = File.EnvironmentOf(service).Where(pair => pair.Key.StartsWith("Llava__", StringComparison.Ordinal))
            .Select(pair => KeyValuePair.Create(pair.Key.Replace("__", ":", StringComparison.Ordinal), (string?)pair.Value)).ToList();
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        Dictionary<string, object> options = new()
        {
            [TransportOptions.SectionName] = new TransportOptions(),
            [LedgerOptions.SectionName] = new LedgerOptions(),
            [FileStoreOptions.SectionName] = new FileStoreOptions(),
            [SchedulerOptions.SectionName] = new SchedulerOptions(),
            [ConsumerOptions.SectionName] = new ConsumerOptions(),
            [HttpOptions.SectionName] = new HttpOptions(),
            [ChatOptions.SectionName] = new ChatOptions(),
            [TrainingOptions.SectionName] = new TrainingOptions(),
            [$"Llava:{EngineOptions.SectionName}"] = new EngineOptions(),
        };

        Assert.NotEmpty(settings);
        Assert.All(configuration.GetSection("Llava").GetChildren(), section => Assert.Contains(section.Path, options.Keys));
        Assert.All(options, pair => configuration.GetSection(pair.Key).Bind(pair.Value, binder => binder.ErrorOnUnknownConfiguration = true));
    });

    [Fact]
    public void Every_other_variable_of_ours_is_read_by_the_program()
    {
        var sources = Directory.EnumerateFiles(Repository.Path("src"), "*.cs", SearchOption.AllDirectories).Select(System.IO.File.ReadAllText).ToList();
        var variables = Ours.SelectMany(service => File.EnvironmentOf(service).Keys)
            .Concat(ComposeFile.Load("compose.gpu.yaml").EnvironmentOf("consumer").Keys)
            .Where(name => name.StartsWith("LLAVA_", StringComparison.Ordinal));

        Assert.All(variables, name => Assert.Contains(sources, source => source.Contains($"\"{name}\"", StringComparison.Ordinal)));
    }

    [Fact]
    public void Every_variable_that_a_caller_may_set_is_documented()
    {
        var documentation = System.IO.File.ReadAllText(Repository.Path("docs", "operations.md"));
        var variables = File.Variables.Concat(ComposeFile.Load("compose.gpu.yaml").Variables);

        Assert.All(variables, name => Assert.Contains($"`{name}`", documentation, StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void What_a_service_uses_is_declared_and_there(string service)
    {
        var secrets = File.ListOf(service, "secrets");
        Assert.All(secrets, secret => Assert.True(File.Root["secrets"]!.AsObject().ContainsKey(secret), secret));
        Assert.All(File.ListOf(service, "networks"), network => Assert.True(File.Root["networks"]!.AsObject().ContainsKey(network), network));
        Assert.All(File.Services[service]!["depends_on"]?.AsObject() ?? [], other => Assert.True(File.Services.ContainsKey(other.Key), other.Key));
        Assert.All(File.ListOf(service, "volumes"), volume =>
        {
            var source = volume.Split(':')[0];
            Assert.True(source.StartsWith('.') ? Path.Exists(Repository.Path("compose", source)) : File.Root["volumes"]!.AsObject().ContainsKey(source), volume);
        });
        var used = File.EnvironmentOf(service).Values.Where(value => value.StartsWith("/run/secrets/", StringComparison.Ordinal)).Select(Path.GetFileName);
        Assert.Equal(secrets.Order(), used.Order()!);
    }

    [Fact]
    public void Every_secret_is_a_file_that_the_script_draws()
    {
        var folder = Directory.CreateTempSubdirectory("llava-secrets-");
        try
        {
            Shell.Run("sh", Repository.Path("compose", "secrets.sh"), folder.FullName);
            var drawn = folder.GetFiles().ToDictionary(file => file.Name, file => System.IO.File.ReadAllText(file.FullName));
            Shell.Run("sh", Repository.Path("compose", "secrets.sh"), folder.FullName);

            Assert.Equal(File.Root["secrets"]!.AsObject().Select(secret => secret.Key).Order(), drawn.Keys.Order());
            Assert.All(File.Root["secrets"]!.AsObject(), secret => Assert.Equal($"./secrets/{secret.Key}", secret.Value!["file"]!.ToString()));
            Assert.Equal(drawn.Count, drawn.Values.Distinct().Count());
            Assert.All(drawn, secret => Assert.Equal(secret.Value, System.IO.File.ReadAllText(Path.Combine(folder.FullName, secret.Key))));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(Services))]
    public void No_password_stands_in_an_environment(string service) => Assert.DoesNotContain(
        File.EnvironmentOf(service),
        variable => variable.Key.Contains("PASSWORD", StringComparison.OrdinalIgnoreCase) && !variable.Value.StartsWith("/run/secrets/", StringComparison.Ordinal));

    [Theory]
    [MemberData(nameof(Services))]
    public void A_service_has_limits_a_restart_policy_and_a_pinned_image(string service)
    {
        var described = File.Services[service]!;

        Assert.NotNull(described["restart"]);
        Assert.True(service == "broker-users" || described["deploy"]!["resources"]!["limits"]!["memory"] is not null, "no memory limit");
        Assert.Contains("no-new-privileges:true", File.ListOf(service, "security_opt"));
        Assert.Matches(@"^[\w./-]+:(v?\d+\.\d+(\.\d+)?|local)$", described["image"]!.ToString());
    }

    [Fact]
    public void Our_processes_run_without_rights_on_a_root_they_cannot_write_to() => Assert.All(Ours, service =>
    {
        var described = File.Services[service]!;

        Assert.True(described["read_only"]!.GetValue<bool>());
        Assert.Equal(["ALL"], File.ListOf(service, "cap_drop"));
        Assert.Contains(File.ListOf(service, "tmpfs"), mount => mount.StartsWith("/tmp:", StringComparison.Ordinal));
        Assert.Equal(Writable[service], File.ListOf(service, "volumes").Where(volume => !volume.EndsWith(":ro", StringComparison.Ordinal)));
    });

    [Fact]
    public void Folders_they_share_are_owned_by_the_user_they_run_as()
    {
        var owned = Assert.Single(Dockerfile.Load().Final, one => one.Arguments.StartsWith("install -d ", StringComparison.Ordinal)).Arguments.Split(' ');
        var user = Dockerfile.Load().Only("USER").Split(':');

        Assert.Equal((user[0], user[1]), (owned[Array.IndexOf(owned, "-o") + 1], owned[Array.IndexOf(owned, "-g") + 1]));
        Assert.Equal(Writable.SelectMany(service => service.Value).Select(volume => volume.Split(':')[1]).Distinct(), owned.Where(path => path.StartsWith('/')));
        Assert.All(Ours, service => Assert.Equal("/files", File.EnvironmentOf(service)["Llava__Files__Folder"]));
        Assert.Equal("/trained", File.EnvironmentOf("consumer")["Llava__Training__Folder"]);
        Assert.Equal("/pages", File.EnvironmentOf("dashboard")["LLAVA_DATA"]);
    }

    [Fact]
    public void Broker_and_database_cannot_be_reached_from_the_host_or_the_world()
    {
        var inner = File.Root["networks"]!.AsObject().Where(network => network.Value!["internal"]?.GetValue<bool>() == true).Select(network => network.Key).ToHashSet();

        Assert.All((string[])["broker", "database", "scheduler", "consumer"], service =>
        {
            Assert.Empty(File.ListOf(service, "ports"));
            Assert.All(File.ListOf(service, "networks"), network => Assert.Contains(network, inner));
        });
        Assert.All(File.Services.SelectMany(service => File.ListOf(service.Key, "ports")), port => Assert.StartsWith("127.0.0.1:", port, StringComparison.Ordinal));
    }

    [Fact]
    public void A_process_is_given_longer_to_end_than_it_takes_to_drain() => Assert.All((string[])["scheduler", "consumer"], service =>
    {
        var drain = TimeSpan.Parse(File.EnvironmentOf(service)["Llava__Transport__Drain"], CultureInfo.InvariantCulture);
        var grace = int.Parse(File.Services[service]!["stop_grace_period"]!.ToString().TrimEnd('s'), CultureInfo.InvariantCulture);

        Assert.True(grace > drain.TotalSeconds + 15, $"{grace} s for a drain of {drain}");
    });

    [Fact]
    public void A_GPU_is_reserved_for_the_consumer()
    {
        var device = Assert.Single(ComposeFile.Load("compose.gpu.yaml").Services["consumer"]!["deploy"]!["resources"]!["reservations"]!["devices"]!.AsArray())!;

        Assert.Equal(("nvidia", "gpu"), (device["driver"]!.ToString(), Assert.Single(device["capabilities"]!.AsArray())!.ToString()));
        Assert.All(ComposeFile.Load("compose.gpu.yaml").Services, service => Assert.True(File.Services.ContainsKey(service.Key)));
    }

    private static Task<JsonSchema> SchemaAsync() => JsonSchema.FromFileAsync(Path.Combine(AppContext.BaseDirectory, "Schemas", "compose-spec.json"));
}
