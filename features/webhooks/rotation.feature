Feature: Signing keys change, and registrations are lost
  A signing key is rotated while webhooks are on their way, and what was registered at Klarna may be gone
  one day. In both cases the Partners' payments come to their end.

  @AP-49 @exclusive
  Scenario: A webhook that is signed with the key before the rotation is believed
    # It was on its way, or is a retry. The name of the key stands beside the signature.
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the acquirer's webhooks get another signing key
    And Klarna is about to send the completed webhook signed with the key before
    And the customer approves the purchase
    Then Klarna notifies the acquirer by webhook that the payment request is completed
    And the acquirer tells the Partner that the payment is approved
    And the acquirer makes exactly one final authorize

  @AP-19 @exclusive @timing.registers_within_ms
  Scenario Outline: What Klarna has forgotten is registered again: <what>
    # Nothing that Klarna publishes asks for this. An acquirer that claims it is taken by its word.
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When Klarna forgets the acquirer's <what>
    Then the acquirer registers its webhook again
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer tells the Partner that the payment is approved

    Examples:
      | what                      |
      | signing keys and webhooks |
      | webhooks                  |
      | signing keys              |
