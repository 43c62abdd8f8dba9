Feature: One attempt is not another
  An idempotency key tells Klarna whether a call is a new action or an old one made again.

  @AP-33
  Scenario: Each call carries an idempotency key of its own
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer authorizes the payment with Klarna, finally
    And each authorize carries an idempotency key of its own

  @AP-18
  Scenario: A new try after a decline is an attempt of its own
    Given a Partner with an order of 459.00 SEK
    And Klarna will decline the payment
    When the Partner creates the payment
    Then the acquirer responds that the payment is declined
    Given Klarna will approve the payment
    When the Partner tries again with a new payment for the same purchase
    Then the acquirer responds that the payment is approved
    And the new payment is an attempt of its own, with its own idempotency key and reference
